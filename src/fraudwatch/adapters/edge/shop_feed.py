"""The live feeds of a shop, read by cursor: any HTTP source that answers like the demo's shop."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Generic, TypeVar

import httpx
import msgspec

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.application.intake.intake import CHARGEBACK_FEED, PURCHASE_FEED, Offered
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.label import ReportedLabel
from fraudwatch.domain.messages.purchase import Purchase

Content = TypeVar("Content")
_TIMEOUT_SECONDS = 30.0


class FeedUnavailable(ConnectionError):
    """The source did not answer, or not as a feed does; the cursor stays, reading goes on later."""


class FeedMissing(FeedUnavailable):
    """The source answers, and has no such feed."""


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    messages: list[msgspec.Raw]
    next_cursor: str
    # A source may not know how far away its end is.
    sequence: int | None = None
    head_sequence: int | None = None


class _PurchasesAnswer(_Answer, frozen=True, kw_only=True):
    messages: list[msgspec.Raw] = msgspec.field(name="events")


class _ChargebacksAnswer(_Answer, frozen=True, kw_only=True):
    messages: list[msgspec.Raw] = msgspec.field(name="chargebacks")


@dataclass(frozen=True, slots=True)
class FeedKind(Generic[Content]):
    """What a feed tells: where it is asked, in what its messages come, what each of them is."""

    origin: str
    path: str
    answer: type[_Answer]
    content: type[Content]
    page_messages: int
    wait_seconds: int


PURCHASES = FeedKind(PURCHASE_FEED, "/v1/feed", _PurchasesAnswer, Purchase, 2_000, 10)
CHARGEBACKS = FeedKind(
    CHARGEBACK_FEED, "/v1/chargebacks", _ChargebacksAnswer, ReportedLabel, 1_000, 20
)


@dataclass(frozen=True, slots=True)
class Page(Generic[Content]):
    """Some messages in order, where the feed goes on, and how far away its end is, if known."""

    offered: list[Offered[Content]]
    next_cursor: str
    sequence: int | None
    head_sequence: int | None


class ShopFeed(Generic[Content]):
    """Pages of a feed; waits at the source for the next message when there is none."""

    def __init__(
        self,
        kind: FeedKind[Content],
        url: str,
        api_key: str,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """``transport`` stands in for the network in tests."""
        self.kind = kind
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=_TIMEOUT_SECONDS,
            transport=transport,
        )

    def after(self, cursor: str) -> Page[Content]:
        """The page behind ``cursor``; the empty cursor is the beginning.

        Raises:
            FeedMissing: the source has no such feed.
            FeedUnavailable: no answer, an error status, or no feed page.
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
        offered = [
            self._offered(_place(page, cursor, i), raw) for i, raw in enumerate(page.messages)
        ]
        return Page(offered, page.next_cursor, page.sequence, page.head_sequence)

    def _offered(self, place: str, raw: msgspec.Raw) -> Offered[Content]:
        try:
            content: Content | Refused = decode(self.kind.content, raw)
        except Refused as why:
            content = why
        return Offered(f"{self.kind.origin}:{place}", bytes(raw), content)


def _place(page: _Answer, cursor: str, index: int) -> str:
    """What names a message of the feed, the same each time that it is read."""
    if page.sequence is None:
        return f"{cursor}+{index}"
    return str(page.sequence - len(page.messages) + index)
