"""The live feed of a shop, read by cursor: any HTTP source that answers like the demo's shop."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
import msgspec

from fraudwatch.adapters.json_codec import decode
from fraudwatch.application.take import Offered
from fraudwatch.domain.dead_letter import Refused
from fraudwatch.domain.purchase import Purchase

_PAGE_EVENTS = 2_000
_WAIT_SECONDS = 10
_TIMEOUT_SECONDS = 30.0


class FeedUnavailable(ConnectionError):
    """The source did not answer, or not as a feed does; the cursor stays, reading goes on later."""


class _Answer(msgspec.Struct, frozen=True):
    events: list[msgspec.Raw]
    next_cursor: str
    sequence: int
    head_sequence: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some events in order, where the feed goes on, and how far away its end is."""

    offered: list[Offered]
    next_cursor: str
    sequence: int
    head_sequence: int


class ShopFeed:
    """Pages of the feed; waits at the source for the next event when there is none."""

    def __init__(self, url: str, api_key: str) -> None:
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=_TIMEOUT_SECONDS,
        )

    def after(self, cursor: str) -> Page:
        """The page behind ``cursor``; the empty cursor is the beginning.

        Raises:
            FeedUnavailable: no answer, an error status, or no feed page.
        """
        wanted: dict[str, str | int] = {
            "after": cursor,
            "limit": _PAGE_EVENTS,
            "wait_seconds": _WAIT_SECONDS,
        }
        try:
            answer = self._client.get("/v1/feed", params=wanted).raise_for_status()
            page = msgspec.json.decode(answer.content, type=_Answer)
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            raise FeedUnavailable(f"the feed gave no page after '{cursor}': {error}") from error
        first = page.sequence - len(page.events)
        return Page(
            [_offered(f"feed:{first + i}", raw) for i, raw in enumerate(page.events)],
            page.next_cursor,
            page.sequence,
            page.head_sequence,
        )


def _offered(origin: str, raw: msgspec.Raw) -> Offered:
    try:
        content: Purchase | Refused = decode(Purchase, raw)
    except Refused as why:
        content = why
    return Offered(origin, bytes(raw), content)
