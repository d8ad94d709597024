"""The two streams: purchases as they happen, and chargebacks as they become known."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import HTTPException, Query, Response, status

from shop.access import Shop, TheShop, keyed_router
from shop.documents import ChargebackPage, FeedPage, Refusal
from shop.stream import Cursor, CursorRefused, Page, Stream

MOST_ENTRIES, MOST_WAIT_SECONDS = 5_000, 20.0

streams = keyed_router()

_After = Annotated[str, Query(description="next_cursor of the page before; empty: all")]
_Limit = Annotated[int, Query(ge=1, le=MOST_ENTRIES)]
_Wait = Annotated[float, Query(ge=0, le=MOST_WAIT_SECONDS)]
_CURSOR_REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"model": Refusal, "description": "The cursor is none of this shop's"}
}


@streams.get("/feed", response_model=FeedPage, responses=_CURSOR_REFUSED)
async def feed(
    shop: TheShop, after: _After = "", limit: _Limit = 1_000, wait_seconds: _Wait = 0
) -> Response:
    """Read purchases in the order in which they happened, from any place, as they happen.

    Begin without `after` to get the whole history, then hand back `next_cursor` each time; keep it
    with your own results and you lose nothing and get nothing twice, however often you restart.
    With `wait_seconds` the call waits for the next purchase when there is none yet and answers as
    soon as it happens; an empty page after that time is normal, just ask again.

    Purchases are never changed afterwards. A few messages are broken (an amount missing or
    negative, an unknown currency or country), as on any real feed: set them aside, go on.
    """
    cursor = await _cursor(shop.feed, shop, after)
    page = await _awaited_page(shop.feed, shop, cursor, limit, round(wait_seconds * 1_000))
    return Response(page.to_json(), media_type="application/json")


@streams.get("/chargebacks", response_model=ChargebackPage, responses=_CURSOR_REFUSED)
async def chargebacks(
    shop: TheShop, after: _After = "", limit: _Limit = 1_000, wait_seconds: _Wait = 0
) -> Response:
    """Read which purchases their card issuers reported as fraud, in the order of `known_at_ms`.

    Cursors, `limit` and `wait_seconds` work as those of the feed, but belong to this stream alone.
    Reports come days after the purchase, some frauds are never noticed, and a few genuine purchases
    are reported too. There are no other labels: what is not reported is not thereby genuine.
    """
    cursor = await _cursor(shop.ledger, shop, after)
    page = await _awaited_page(shop.ledger, shop, cursor, limit, round(wait_seconds * 1_000))
    return Response(page.to_json(), media_type="application/json")


async def _cursor(stream: Stream, shop: Shop, after: str) -> Cursor:
    try:
        return await asyncio.to_thread(stream.cursor, after, now_ms=shop.now_ms())
    except CursorRefused as error:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, str(error)) from error


async def _awaited_page(
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
