"""The endpoints that an integrator calls; their docstrings are the documentation at ``/docs``."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shop.documents import ExtractPage, FeedPage, Health, Refusal
from shop.extract import DayOutsideWorld, DayStillOpen, Extract
from shop.feed import Cursor, CursorRefused, Feed, Page
from shop.plan import MINUTE_MS, Plan
from shop.told import Told, canonical

MOST_EVENTS, MOST_WAIT_SECONDS, MOST_PURCHASES = 5_000, 20.0, 10_000


@dataclass(frozen=True, slots=True)
class Shop:
    """What the endpoints answer from; the clock decides what has happened yet."""

    plan: Plan
    told: Told
    feed: Feed
    extract: Extract
    api_key: str
    now_ms: Callable[[], int]


def _shop(request: Request) -> Shop:
    shop: Shop = request.app.state.shop
    return shop


_Shop = Annotated[Shop, Depends(_shop)]
_bearer = HTTPBearer(auto_error=False, description="The value of SHOP_API_KEY")


def _check_key(
    shop: _Shop, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> None:
    offered = given.credentials if given else ""
    if not hmac.compare_digest(offered.encode(), shop.api_key.encode()):
        raise HTTPException(
            status.HTTP_401_UNAUTHORIZED,
            "the key is missing or wrong; send the header Authorization: Bearer <SHOP_API_KEY>",
            headers={"WWW-Authenticate": "Bearer"},
        )


_REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"model": Refusal, "description": "The key is missing or wrong"}
}
open_to_all = APIRouter()
keyed = APIRouter(prefix="/v1", dependencies=[Depends(_check_key)], responses=_REFUSED)


@open_to_all.get("/health")
async def health(shop: _Shop) -> Health:
    """Say that the shop answers, and when its history and its live time begin. Needs no key."""
    return Health(
        history_from_ms=shop.plan.epoch_minute * MINUTE_MS,
        live_from_ms=shop.plan.live_from_minute * MINUTE_MS,
    )


@keyed.get(
    "/feed",
    response_model=FeedPage,
    responses={400: {"model": Refusal, "description": "The cursor is none of this shop's"}},
)
async def feed(
    shop: _Shop,
    after: Annotated[str, Query(description="next_cursor of the page before; empty: all")] = "",
    limit: Annotated[int, Query(ge=1, le=MOST_EVENTS)] = 1_000,
    wait_seconds: Annotated[float, Query(ge=0, le=MOST_WAIT_SECONDS)] = 0,
) -> Response:
    """Read purchases in the order in which they happened, from any place, as they happen.

    Begin without `after` to get the whole history, then hand back `next_cursor` each time; keep it
    with your own results and you lose nothing and get nothing twice, however often you restart.
    With `wait_seconds` the call waits for the next purchase when there is none yet and answers as
    soon as it happens; an empty page after that time is normal, just ask again.

    Purchases are never changed afterwards. A few messages are broken (an amount missing or
    negative, an unknown currency or country), as on any real feed: set them aside, go on.
    """
    try:
        cursor = await asyncio.to_thread(shop.feed.cursor, after, now_ms=shop.now_ms())
    except CursorRefused as error:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, str(error)) from error
    page = await _awaited_page(shop, cursor, limit, round(wait_seconds * 1_000))
    return Response(page.to_json(), media_type="application/json")


async def _awaited_page(shop: Shop, cursor: Cursor, limit: int, wait_ms: int) -> Page:
    until_ms = shop.now_ms() + wait_ms
    while True:
        now_ms = shop.now_ms()
        page = await asyncio.to_thread(shop.feed.page, cursor, limit=limit, now_ms=now_ms)
        if page.messages or now_ms >= until_ms:
            return page
        wake_ms = await asyncio.to_thread(shop.feed.next_event_ms, cursor, until_ms=until_ms)
        await asyncio.sleep(max(1, wake_ms - shop.now_ms()) / 1_000)


@keyed.get(
    "/extract/{day}",
    response_model=ExtractPage,
    responses={
        404: {"model": Refusal, "description": "No such day, or no such page of it"},
        409: {"model": Refusal, "description": "The day has not ended yet (UTC)"},
    },
)
def extract(
    shop: _Shop,
    day: date,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=1, le=MOST_PURCHASES)] = 1_000,
) -> Response:
    """Read a closed UTC day from the shop's books, page by page.

    Ask for page 1, then up to `pages` with the same `page_size`. The totals and the checksum are
    of the whole day: when they agree with what you stored, you have it all. The books are complete,
    also where a message of the feed was broken; ids are the same in both.
    """
    now_ms = shop.now_ms()
    try:
        found = shop.extract.page(day, page=page, page_size=page_size, now_ms=now_ms)
    except DayOutsideWorld as error:
        raise HTTPException(status.HTTP_404_NOT_FOUND, str(error)) from error
    except DayStillOpen as error:
        raise HTTPException(status.HTTP_409_CONFLICT, str(error)) from error
    return Response(canonical(found), media_type="application/json")
