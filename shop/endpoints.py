"""Health and the daily extract; docstrings of endpoints are the documentation at ``/docs``."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response, status

from shop.access import TheShop, keyed_router
from shop.documents import ExtractPage, Health, Refusal
from shop.extract import DayOutsideWorld, DayStillOpen
from shop.minute_cache import canonical
from shop.plan import MINUTE_MS

MOST_PURCHASES = 10_000

open_to_all = APIRouter()
books = keyed_router()


@open_to_all.get("/health")
async def health(shop: TheShop) -> Health:
    """Say that the shop answers, and when its history and its live time begin. Needs no key."""
    return Health(
        history_from_ms=shop.plan.epoch_minute * MINUTE_MS,
        live_from_ms=shop.plan.live_from_minute * MINUTE_MS,
    )


@books.get(
    "/extract/{day}",
    response_model=ExtractPage,
    responses={
        404: {"model": Refusal, "description": "No such day, or no such page of it"},
        409: {"model": Refusal, "description": "The day has not ended yet (UTC)"},
    },
)
def extract(
    shop: TheShop,
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
