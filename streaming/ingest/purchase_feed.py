"""Submit a feed that has purchases and their refunds, each to its channel, in their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from fraudwatch.application.intake.intake import FeedItem, IngestResult
from fraudwatch.application.intake.turns import Sortable, turns_of
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.messages.refund import ReportedRefund
from streaming.ingest.channel import ChannelStatus, IngestChannel

MixedItem = FeedItem[Purchase | ReportedRefund]


class PurchaseFeedChannel:
    """Channel of the purchase feed: its refunds are submitted after their purchases.

    The cursor and its lag are those of the purchases. A message that cannot be read is
    dead-lettered among the purchases.
    """

    def __init__(
        self, purchases: IngestChannel[Purchase], refunds: IngestChannel[ReportedRefund]
    ) -> None:
        self._purchases, self._refunds = purchases, refunds

    @property
    def status(self) -> ChannelStatus:
        """Return the position of the feed and the counts of its purchases."""
        return self._purchases.status

    def submit_feed(self, items: Sequence[MixedItem]) -> IngestResult:
        """Submit a page; see :meth:`fraudwatch.application.intake.intake.Intake.submit_feed`."""
        results = []
        for turn in turns_of(_sortable(item) for item in items):
            if turn.purchases:
                purchases = cast("list[FeedItem[Purchase]]", turn.purchases)
                results.append(self._purchases.submit_feed(purchases))
            if turn.refunds:
                refunds = cast("list[FeedItem[ReportedRefund]]", turn.refunds)
                results.append(self._refunds.submit_feed(refunds))
        return IngestResult(
            accepted=sum(one.accepted for one in results),
            repeated=sum(one.repeated for one in results),
            dead_lettered=tuple(record for one in results for record in one.dead_lettered),
        )

    def advance_cursor(self, cursor: str, sequence: int | None, head_sequence: int | None) -> None:
        """Record that everything before this cursor is ingested; the lag may be unknown."""
        self._purchases.advance_cursor(cursor, sequence, head_sequence)


def _sortable(item: MixedItem) -> Sortable[MixedItem]:
    content = item.content
    if isinstance(content, Refused):
        return Sortable(item, None, is_refund=False)
    customer = (content.source, content.customer_id)
    return Sortable(item, customer, isinstance(content, ReportedRefund))
