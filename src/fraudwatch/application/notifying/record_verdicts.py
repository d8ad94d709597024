"""Record verdicts for staff and customers, before their offsets are committed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from fraudwatch.application.notifying.ports import NotificationStore
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.notifications.customer_notice import NoticeTemplate, customer_notice_of
from fraudwatch.domain.notifications.staff_alert import staff_alert_of
from fraudwatch.domain.notifications.staff_policy import StaffPolicy


@dataclass(frozen=True, slots=True)
class RecordVerdicts:
    """Use case that adds alerts and notices to the state; repeated verdicts change nothing."""

    store: NotificationStore
    policy: StaffPolicy
    channels: Collection[str]
    events: Collection[NoticeTemplate]
    now_ms: Callable[[], int]

    def record(self, verdicts: Sequence[Verdict]) -> int:
        """Add what is to be notified; return the number of alerts among the verdicts.

        A customer gets no notice of an old purchase: a topic that is read from its beginning must
        not send a week of them.

        Raises:
            StoreUnavailable: not now; the same call later.
        """
        now_ms = self.now_ms()
        alerts = [alert for one in verdicts if (alert := staff_alert_of(one))]
        notices = [
            notice
            for one in verdicts
            if not self.policy.is_old(one.event_at_ms, now_ms)
            and (notice := customer_notice_of(one, self.events))
        ]
        if alerts or notices:
            self.store.add(alerts, notices, channels=self.channels, now_ms=now_ms)
        return len(alerts)
