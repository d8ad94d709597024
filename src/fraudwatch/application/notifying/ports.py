"""Ports of the notifier: its state, its channels, the purchases, and the edge."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.notifications.customer_notice import CustomerNotice, NoticeState
from fraudwatch.domain.notifications.staff_alert import StaffAlert
from fraudwatch.domain.notifications.staff_policy import MessageKind, PendingAlert, SentMessage

MAX_PENDING: Final = 2_000
"""Most alerts in one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMessage:
    """A message to staff as it is sent, and sent again after a kill: the same id and text."""

    channel: str
    message_id: str
    kind: MessageKind
    customer_tokens: frozenset[str]
    verdict_ids: tuple[str, ...]
    subject: str
    text: str
    composed_at_ms: int


class NotificationStore(Protocol):
    """State of the notifier; every change is durable and atomic when its method returns.

    Methods raise :class:`fraudwatch.application.ports.StoreUnavailable` while it cannot be written.
    """

    def add(
        self,
        alerts: Sequence[StaffAlert],
        notices: Sequence[CustomerNotice],
        *,
        channels: Collection[str],
        now_ms: int,
    ) -> None:
        """Add alerts to each channel, and notices. One whose verdict is known changes nothing."""

    def pending(self, channel: str, limit: int = MAX_PENDING) -> list[PendingAlert]:
        """Return the alerts that no message of the channel has, in the order of their addition.

        If there are more than ``limit``, the newest CRITICAL ones and then the oldest others: a
        backlog must not hide what is to be sent at once.
        """

    def unsent(self, channel: str) -> StaffMessage | None:
        """Return the message that was composed and not sent yet: at most one a channel."""

    def compose(self, message: StaffMessage) -> None:
        """Record a message before it is sent; its alerts are no longer pending."""

    def close(self, message: StaffMessage, *, is_sent: bool, now_ms: int) -> None:
        """Record that a message was sent, or given up."""

    def sent_since(self, channel: str, since_ms: int) -> list[SentMessage]:
        """Return the messages sent after this time."""

    def waiting_notices(self, limit: int) -> list[CustomerNotice]:
        """Return the notices that wait, in the order of their addition."""

    def begin_notice(self, verdict_id: str, now_ms: int) -> bool:
        """Record that the edge is about to be asked; False if it was before."""

    def end_notice(self, verdict_id: str, state: NoticeState, now_ms: int) -> None:
        """Record what came of a notice; ``WAITING`` if it is certain that nothing was sent."""

    def close_interrupted_notices(self, now_ms: int) -> int:
        """Give up the notices of a process that ended while it asked; return how many."""

    def prune(self, before_ms: int) -> None:
        """Delete what was added or settled before this time, except a message that is unsent."""


class ChannelUnavailable(RuntimeError):
    """The channel takes no message now; the same message is sent again later."""


class MessageRefused(RuntimeError):
    """The channel works, and refuses this message."""


class StaffChannel(Protocol):
    """One way to staff."""

    @property
    def name(self) -> str:
        """Name in metrics and state."""

    def send(self, message: StaffMessage) -> None:
        """Send a message.

        Raises:
            ChannelUnavailable: not now, or not with these settings.
            MessageRefused: not this message.
        """


class PurchaseReader(Protocol):
    """Stored purchases with their sealed fields."""

    def purchase_of(self, notice: CustomerNotice) -> Transaction | None:
        """Return the purchase of a notice; None if it is not stored (yet).

        Raises:
            StoreUnavailable: the store does not answer.
        """


class EdgeNotices(Protocol):
    """The edge, which alone knows a customer's address."""

    def notify(self, notice: CustomerNotice, purchase: Transaction) -> NoticeState:
        """Ask the edge to notify the customer of this purchase; return what came of it.

        Raises:
            ChannelUnavailable: it is certain that nothing was sent, so it may be asked again.
        """
