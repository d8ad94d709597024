"""Serve the two streams: purchases as they happen, chargebacks as they become known."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import HTTPException, Query, Response, status

from shop.access import Shop, ShopDependency, keyed_router
from shop.documents import ChargebackPage, FeedPage, Refusal
from shop.stream import Cursor, CursorRefused, Page, Stream

MAX_ENTRIES, MAX_WAIT_SECONDS = 5_000, 20.0

stream_routes = keyed_router()

_After = Annotated[str, Query(description="next_cursor of the previous page; empty: all")]
_Limit = Annotated[int, Query(ge=1, le=MAX_ENTRIES)]
_Wait = Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS)]
_CURSOR_REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"model": Refusal, "description": "The cursor was not issued by this shop"}
}


@stream_routes.get("/feed", response_model=FeedPage, responses=_CURSOR_REFUSED)
async def feed(
    shop: ShopDependency, after: _After = "", limit: _Limit = 1_000, wait_seconds: _Wait = 0
) -> Response:
    """Read purchases in the order in which they happened, from any cursor, in real time.

    Start without `after` to get the whole history, then pass `next_cursor` each time; store it
    together with your results, so that restarts cause neither loss nor duplicates. With
    `wait_seconds` the call waits for the next purchase when there is none yet and returns as soon
    as it happens; an empty page after that time is normal, repeat the call.

    Purchases never change. A few messages are malformed (an amount missing or negative, an unknown
    currency or country), as on any real feed: dead-letter them and continue.
    """
    cursor = await _cursor(shop.feed, shop, after)
    page = await _wait_for_page(shop.feed, shop, cursor, limit, round(wait_seconds * 1_000))
    return Response(page.to_json(), media_type="application/json")


@stream_routes.get("/chargebacks", response_model=ChargebackPage, responses=_CURSOR_REFUSED)
async def chargebacks(
    shop: ShopDependency, after: _After = "", limit: _Limit = 1_000, wait_seconds: _Wait = 0
) -> Response:
    """Read the purchases that card issuers reported as fraud, in the order of `known_at_ms`.

    Cursors, `limit` and `wait_seconds` work as those of the feed; cursors are valid in this stream
    alone. Chargebacks come days after the purchase, some fraud is never reported, and a few genuine
    purchases are. There are no other labels: an unreported purchase is not therefore genuine.
    """
    cursor = await _cursor(shop.chargebacks, shop, after)
    page = await _wait_for_page(shop.chargebacks, shop, cursor, limit, round(wait_seconds * 1_000))
    return Response(page.to_json(), media_type="application/json")


async def _cursor(stream: Stream, shop: Shop, after: str) -> Cursor:
    try:
        return await asyncio.to_thread(stream.cursor, after, now_ms=shop.now_ms())
    except CursorRefused as error:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, str(error)) from error


async def _wait_for_page(
    stream: Stream, shop: Shop, cursor: Cursor, limit: int, wait_ms: int
) -> Page:
    until_ms = shop.now_ms() + wait_ms
    while True:
        now_ms = shop.now_ms()
        page = await asyncio.to_thread(stream.page, cursor, limit=limit, now_ms=now_ms)
        if page.messages or now_ms >= until_ms:
            return page
        wake_ms = await asyncio.to_thread(stream.next_event_ms, cursor, until_ms=until_ms)
        await asyncio.sleep(max(1, wake_ms - shop.now_ms()) / 1_000)
