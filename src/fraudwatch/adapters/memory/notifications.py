"""Memory twin of the notifier's state; see :mod:`fraudwatch.application.notifying.ports`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fraudwatch.application.notifying.ports import MAX_PENDING, StaffMessage
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.verdict import Risk
from fraudwatch.domain.notifications.customer_notice import CustomerNotice, NoticeState
from fraudwatch.domain.notifications.staff_alert import StaffAlert
from fraudwatch.domain.notifications.staff_policy import PendingAlert, SentMessage


class MemoryNotificationStore:
    """``NotificationStore`` in dictionaries, in the order of addition."""

    def __init__(self) -> None:
        self._alerts: dict[tuple[str, str], PendingAlert] = {}
        self._message_of: dict[tuple[str, str], str] = {}
        self._messages: dict[tuple[str, str], StaffMessage] = {}
        self._closed: dict[tuple[str, str], tuple[int, bool]] = {}
        self._notices: dict[str, CustomerNotice] = {}
        self.notice_states: dict[str, tuple[NoticeState, int]] = {}
        self.is_reachable = True

    def add(
        self,
        alerts: Sequence[StaffAlert],
        notices: Sequence[CustomerNotice],
        *,
        channels: Collection[str],
        now_ms: int,
    ) -> None:
        self._check_reachable()
        for alert in alerts:
            for channel in channels:
                self._alerts.setdefault((channel, alert.verdict_id), PendingAlert(alert, now_ms))
        for notice in notices:
            self._notices.setdefault(notice.verdict_id, notice)
            self.notice_states.setdefault(notice.verdict_id, (NoticeState.WAITING, now_ms))

    def pending(self, channel: str, limit: int = MAX_PENDING) -> list[PendingAlert]:
        self._check_reachable()
        waiting = [
            (position, one)
            for position, (key, one) in enumerate(self._alerts.items())
            if key[0] == channel and key not in self._message_of
        ]
        critical = [one for one in waiting if one[1].alert.risk is Risk.CRITICAL]
        others = [one for one in waiting if one[1].alert.risk is not Risk.CRITICAL]
        chosen = [*reversed(critical), *others][:limit]
        return [one for _, one in sorted(chosen, key=lambda found: found[0])]

    def unsent(self, channel: str) -> StaffMessage | None:
        self._check_reachable()
        found = (m for key, m in self._messages.items() if key not in self._closed)
        return next((message for message in found if message.channel == channel), None)

    def compose(self, message: StaffMessage) -> None:
        self._check_reachable()
        self._messages.setdefault((message.channel, message.message_id), message)
        for verdict_id in message.verdict_ids:
            self._message_of[message.channel, verdict_id] = message.message_id

    def close(self, message: StaffMessage, *, is_sent: bool, now_ms: int) -> None:
        self._check_reachable()
        self._closed[message.channel, message.message_id] = now_ms, is_sent

    def sent_since(self, channel: str, since_ms: int) -> list[SentMessage]:
        self._check_reachable()
        sent = [
            SentMessage(self._messages[key].kind, self._messages[key].customer_tokens, at_ms)
            for key, (at_ms, is_sent) in self._closed.items()
            if is_sent and key[0] == channel and at_ms > since_ms
        ]
        return sorted(sent, key=lambda one: one.at_ms)

    def waiting_notices(self, limit: int) -> list[CustomerNotice]:
        self._check_reachable()
        states = self.notice_states
        waiting = (
            notice
            for name, notice in self._notices.items()
            if states[name][0] is NoticeState.WAITING
        )
        return list(waiting)[:limit]

    def begin_notice(self, verdict_id: str, now_ms: int) -> bool:
        self._check_reachable()
        found = self.notice_states.get(verdict_id)
        if found is None or found[0] is not NoticeState.WAITING:
            return False
        self.notice_states[verdict_id] = NoticeState.ASKED, now_ms
        return True

    def end_notice(self, verdict_id: str, state: NoticeState, now_ms: int) -> None:
        self._check_reachable()
        self.notice_states[verdict_id] = state, now_ms

    def close_interrupted_notices(self, now_ms: int) -> int:
        self._check_reachable()
        states = self.notice_states.items()
        open_ones = [name for name, (state, _) in states if state is NoticeState.ASKED]
        self.notice_states |= dict.fromkeys(open_ones, (NoticeState.UNCERTAIN, now_ms))
        return len(open_ones)

    def prune(self, before_ms: int) -> None:
        self._check_reachable()
        for key in [k for k, one in self._alerts.items() if one.added_at_ms < before_ms]:
            del self._alerts[key]
            self._message_of.pop(key, None)
        for key in [k for k, (at_ms, _) in self._closed.items() if at_ms < before_ms]:
            del self._closed[key], self._messages[key]
        states = self.notice_states.items()
        for name in [name for name, (_, at_ms) in states if at_ms < before_ms]:
            del self.notice_states[name], self._notices[name]

    def _check_reachable(self) -> None:
        if not self.is_reachable:
            raise StoreUnavailable("this memory state was made unavailable")
