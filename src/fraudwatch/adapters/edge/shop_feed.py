"""Live feeds of a shop over HTTP, read by cursor: the demo shop, or any source with its API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import httpx
import msgspec

from fraudwatch.adapters.codecs.submitted import (
    Submitted,
    feed_item,
    label_of,
    purchase_or_refund_of,
)
from fraudwatch.application.intake.intake import CHARGEBACK_FEED, PURCHASE_FEED, FeedItem
from fraudwatch.domain.messages.label import ReportedLabel
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.messages.refund import ReportedRefund

Content = TypeVar("Content")
_TIMEOUT_SECONDS = 30.0


class FeedUnavailable(ConnectionError):
    """The source did not return a feed page; the cursor stays, and reading resumes later."""


class FeedMissing(FeedUnavailable):
    """The source answers but has no such feed."""


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    messages: list[msgspec.Raw]
    next_cursor: str
    # A source may not know its end.
    sequence: int | None = None
    head_sequence: int | None = None


class _PurchasesAnswer(_Answer, frozen=True, kw_only=True):
    messages: list[msgspec.Raw] = msgspec.field(name="events")


class _ChargebacksAnswer(_Answer, frozen=True, kw_only=True):
    messages: list[msgspec.Raw] = msgspec.field(name="chargebacks")


@dataclass(frozen=True, slots=True)
class FeedKind(Generic[Content]):
    """Kind of a feed: its path, its page format, and the reader of its messages."""

    origin: str
    path: str
    answer: type[_Answer]
    reader: Callable[[Any], Submitted[Content]]
    page_messages: int
    wait_seconds: int


PURCHASES: FeedKind[Purchase | ReportedRefund] = FeedKind(
    PURCHASE_FEED, "/v1/feed", _PurchasesAnswer, purchase_or_refund_of, 2_000, 10
)
CHARGEBACKS: FeedKind[ReportedLabel] = FeedKind(
    CHARGEBACK_FEED, "/v1/chargebacks", _ChargebacksAnswer, label_of, 1_000, 20
)


@dataclass(frozen=True, slots=True)
class FetchedPage(Generic[Content]):
    """Page of messages in order, with the next cursor and, if known, the feed's end."""

    items: list[FeedItem[Content]]
    next_cursor: str
    sequence: int | None
    head_sequence: int | None
    left_out: int = 0  # records that are no messages by their mapping


class ShopFeed(Generic[Content]):
    """Reads pages of a feed by long polling: the source waits for a message when there is none."""

    def __init__(
        self,
        kind: FeedKind[Content],
        url: str,
        api_key: str,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """``transport`` replaces the network in tests."""
        self.kind = kind
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=_TIMEOUT_SECONDS,
            transport=transport,
        )

    def after(self, cursor: str) -> FetchedPage[Content]:
        """Read the page after ``cursor``; the empty cursor is the beginning.

        Raises:
            FeedMissing: the source has no such feed.
            FeedUnavailable: no answer, an error status, or not a feed page.
        """
        wanted: dict[str, str | int] = {
            "after": cursor,
            "limit": self.kind.page_messages,
            "wait_seconds": self.kind.wait_seconds,
        }
        try:
            answer = self._client.get(self.kind.path, params=wanted)
            if answer.status_code == HTTPStatus.NOT_FOUND:
                raise FeedMissing(f"the source has no {self.kind.path}")
            page = msgspec.json.decode(answer.raise_for_status().content, type=self.kind.answer)
        except (httpx.HTTPError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise FeedUnavailable(
                f"{self.kind.path} gave no page after '{cursor}': {error}"
            ) from error
        items = [
            self._item(_position_of(page, cursor, i), raw) for i, raw in enumerate(page.messages)
        ]
        return FetchedPage(items, page.next_cursor, page.sequence, page.head_sequence)

    def _item(self, position: str, raw: msgspec.Raw) -> FeedItem[Content]:
        return feed_item(f"{self.kind.origin}:{position}", bytes(raw), self.kind.reader)


def _position_of(page: _Answer, cursor: str, index: int) -> str:
    """Name the position of a message in the feed, stable over repeated reads."""
    if page.sequence is None:
        return f"{cursor}+{index}"
    return str(page.sequence - len(page.messages) + index)
