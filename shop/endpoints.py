"""Serve health and the daily extract; docstrings of endpoints are shown at ``/docs``."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response, status

from shop.access import ShopDependency, keyed_router
from shop.documents import ExtractPage, Health, Refusal
from shop.extract import DayNotClosed, DayNotFound
from shop.minute_cache import canonical
from shop.plan import MINUTE_MS

MAX_PAGE_SIZE = 10_000

public_routes = APIRouter()
extract_routes = keyed_router()


@public_routes.get("/health")
async def health(shop: ShopDependency) -> Health:
    """Report health and the start of the history and of the live time. Needs no key."""
    return Health(
        history_from_ms=shop.plan.epoch_minute * MINUTE_MS,
        live_from_ms=shop.plan.live_from_minute * MINUTE_MS,
    )


@extract_routes.get(
    "/extract/{day}",
    response_model=ExtractPage,
    responses={
        404: {"model": Refusal, "description": "No such day, or no such page of it"},
        409: {"model": Refusal, "description": "The day has not ended yet (UTC)"},
    },
)
def extract(
    shop: ShopDependency,
    day: date,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)] = 1_000,
) -> Response:
    """Extract a closed UTC day, page by page.

    Request page 1, then the others up to `pages` with the same `page_size`. The totals and the
    checksum are of the whole day: when they match what you stored, it is complete. The extract is
    correct, also where a message of the feed was malformed; ids are the same in both.
    """
    now_ms = shop.now_ms()
    try:
        requested_page = shop.extract.page(day, page=page, page_size=page_size, now_ms=now_ms)
    except DayNotFound as error:
        raise HTTPException(status.HTTP_404_NOT_FOUND, str(error)) from error
    except DayNotClosed as error:
        raise HTTPException(status.HTTP_409_CONFLICT, str(error)) from error
    return Response(canonical(requested_page), media_type="application/json")
