"""Deliver customer notices through the edge: at most once, recorded before sending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fraudwatch.application.notifying.ports import (
    ChannelUnavailable,
    EdgeNotices,
    NotificationStore,
    PurchaseReader,
)
from fraudwatch.domain.notifications.customer_notice import CustomerNotice, NoticeState

# Read at once: the first may wait for their rows while those behind can be sent.
_NOTICES_READ = 50


@dataclass(frozen=True, slots=True)
class CustomerDelivery:
    """Use case that asks the edge to send each notice once.

    Whatever is not certain counts as sent: a customer who gets no notice learns of the decline from
    the shop, and one who gets two learns to distrust them.
    """

    store: NotificationStore
    purchases: PurchaseReader
    edge: EdgeNotices
    now_ms: Callable[[], int]
    patience_seconds: int
    count: Callable[[NoticeState], None]

    def deliver_waiting(self) -> int:
        """Ask for every notice that can be sent now; return how many were settled.

        Raises:
            ChannelUnavailable: the edge sends nothing now; all that wait keep waiting.
            StoreUnavailable: purchases cannot be read, or the state not be written.
        """
        return sum(self._deliver(notice) for notice in self.store.waiting_notices(_NOTICES_READ))

    def _deliver(self, notice: CustomerNotice) -> bool:
        if self.now_ms() - notice.event_at_ms > 1_000 * self.patience_seconds:
            return self._record_state(notice, NoticeState.EXPIRED)
        purchase = self.purchases.purchase_of(notice)
        if purchase is None:  # its row comes from another consumer, which may be later
            return False
        if purchase.sealed is None:
            return self._record_state(notice, NoticeState.NO_ADDRESS)
        if not self.store.begin_notice(notice.verdict_id, self.now_ms()):
            return False
        try:
            state = self.edge.notify(notice, purchase)
        except ChannelUnavailable:
            self.store.end_notice(notice.verdict_id, NoticeState.WAITING, self.now_ms())
            raise
        return self._record_state(notice, state)

    def _record_state(self, notice: CustomerNotice, state: NoticeState) -> bool:
        self.store.end_notice(notice.verdict_id, state, self.now_ms())
        self.count(state)
        return True
