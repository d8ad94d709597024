"""The policy of messages to staff: literal cases, and properties over simulated days."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraudwatch.domain.messages.verdict import Outcome, Risk
from fraudwatch.domain.notifications.quiet_hours import quiet_hours_of
from fraudwatch.domain.notifications.staff_alert import StaffAlert, staff_alert_of
from fraudwatch.domain.notifications.staff_policy import (
    MessageKind,
    PendingAlert,
    PlannedMessage,
    SentMessage,
    StaffPolicy,
    message_id_of,
)
from fraudwatch.samples import NOON_MS, a_staff_alert, a_token, a_verdict

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
POLICY = StaffPolicy()


@dataclass
class Channel:
    """A channel that sends whatever is planned, with its whole history."""

    policy: StaffPolicy
    pending: list[PendingAlert] = field(default_factory=list)
    sent: list[SentMessage] = field(default_factory=list)
    messages: list[tuple[int, PlannedMessage]] = field(default_factory=list)

    def add(self, *alerts: StaffAlert, now_ms: int) -> None:
        self.pending += [PendingAlert(alert, now_ms) for alert in alerts]

    def send_due(self, now_ms: int) -> list[PlannedMessage]:
        sent_now = []
        while planned := self.policy.plan(self.pending, self.sent, now_ms):
            ids = {alert.verdict_id for alert in planned.alerts}
            self.pending = [one for one in self.pending if one.alert.verdict_id not in ids]
            self.sent.append(SentMessage(planned.kind, planned.customer_tokens, now_ms))
            self.messages.append((now_ms, planned))
            sent_now.append(planned)
        return sent_now


def high(**changes: object) -> StaffAlert:
    return a_staff_alert(**{"risk": Risk.HIGH, "outcome": Outcome.REVIEW, **changes})


def test_only_high_and_critical_verdicts_are_alerts() -> None:
    assert staff_alert_of(a_verdict(risk=Risk.MEDIUM)) is None
    found = staff_alert_of(a_verdict(risk=Risk.HIGH))
    assert found is not None
    assert (found.risk, found.rules) == (Risk.HIGH, ("high_amount",))


def test_critical_is_sent_at_once_with_what_waits_of_its_customer() -> None:
    channel = Channel(POLICY)
    channel.add(high(verdict_id="h"), high(verdict_id="x", customer_token=a_token("b")),
                now_ms=NOON_MS)  # fmt: skip
    assert channel.send_due(NOON_MS) == []
    channel.add(a_staff_alert(verdict_id="c"), now_ms=NOON_MS + 1)
    [message] = channel.send_due(NOON_MS + 1)
    assert message.kind is MessageKind.CRITICAL
    assert [alert.verdict_id for alert in message.alerts] == ["h", "c"]
    assert [one.alert.verdict_id for one in channel.pending] == ["x"]


def test_a_later_critical_of_the_customer_is_in_the_digest_until_the_window_ends() -> None:
    channel = Channel(POLICY)
    channel.add(a_staff_alert(verdict_id="1"), now_ms=NOON_MS)
    assert len(channel.send_due(NOON_MS)) == 1
    later_ms = NOON_MS + MINUTE_MS
    channel.add(a_staff_alert(verdict_id="2", event_at_ms=later_ms), now_ms=later_ms)
    assert channel.send_due(later_ms) == []
    [digest] = channel.send_due(later_ms + 15 * MINUTE_MS)
    assert digest.kind is MessageKind.DIGEST
    after_ms = NOON_MS + HOUR_MS
    channel.add(a_staff_alert(verdict_id="3", event_at_ms=after_ms), now_ms=after_ms)
    assert [one.kind for one in channel.send_due(after_ms)] == [MessageKind.CRITICAL]


def test_a_digest_comes_by_age_or_by_size() -> None:
    by_age = Channel(POLICY)
    by_age.add(high(), now_ms=NOON_MS)
    assert by_age.send_due(NOON_MS + 15 * MINUTE_MS - 1) == []
    assert [one.kind for one in by_age.send_due(NOON_MS + 15 * MINUTE_MS)] == [MessageKind.DIGEST]
    by_size = Channel(replace(POLICY, digest_size=3))
    by_size.add(*(high(verdict_id=str(n)) for n in range(2)), now_ms=NOON_MS)
    assert by_size.send_due(NOON_MS) == []
    by_size.add(high(verdict_id="2"), now_ms=NOON_MS)
    [digest] = by_size.send_due(NOON_MS)
    assert len(digest.alerts) == 3


def test_old_critical_alerts_come_in_one_digest() -> None:
    channel = Channel(POLICY)
    old = [
        a_staff_alert(
            verdict_id=str(n), customer_token=a_token(name), event_at_ms=NOON_MS - HOUR_MS
        )
        for n, name in enumerate("abcdefghijklmnopqrst")
    ]
    channel.add(*old, now_ms=NOON_MS)
    assert channel.send_due(NOON_MS) == []
    [digest] = channel.send_due(NOON_MS + 15 * MINUTE_MS)
    assert len(digest.alerts) == 20


def test_above_the_hourly_rate_critical_alerts_wait_for_the_digest() -> None:
    channel = Channel(replace(POLICY, critical_per_hour=2))
    alerts = [a_staff_alert(verdict_id=n, customer_token=a_token(n)) for n in "abcd"]
    channel.add(*alerts, now_ms=NOON_MS)
    assert [one.kind for one in channel.send_due(NOON_MS)] == [MessageKind.CRITICAL] * 2
    [digest] = channel.send_due(NOON_MS + 15 * MINUTE_MS)
    assert [alert.verdict_id for alert in digest.alerts] == ["c", "d"]


@pytest.mark.parametrize(
    ("passes", "kinds"), [(True, [MessageKind.CRITICAL]), (False, [])], ids=["pass", "wait"]
)
def test_quiet_hours_delay_digests_and_by_choice_critical(
    *, passes: bool, kinds: list[MessageKind]
) -> None:
    quiet = quiet_hours_of("12:00-13:00", "UTC")
    channel = Channel(replace(POLICY, quiet_hours=quiet, critical_in_quiet_hours=passes))
    channel.add(a_staff_alert(verdict_id="c"), high(verdict_id="h", customer_token=a_token("b")),
                now_ms=NOON_MS)  # fmt: skip
    assert [one.kind for one in channel.send_due(NOON_MS)] == kinds
    assert channel.send_due(NOON_MS + HOUR_MS - 1) == []
    [digest] = channel.send_due(NOON_MS + HOUR_MS)
    assert digest.kind is MessageKind.DIGEST
    assert channel.pending == []


def test_the_message_id_follows_from_its_verdicts_alone() -> None:
    one = message_id_of("mail", MessageKind.DIGEST, ["a", "b"])
    assert one == message_id_of("mail", MessageKind.DIGEST, ["b", "a"])
    others = {
        message_id_of("chat", MessageKind.DIGEST, ["a", "b"]),
        message_id_of("mail", MessageKind.CRITICAL, ["a", "b"]),
        message_id_of("mail", MessageKind.DIGEST, ["a"]),
    }
    assert len(others | {one}) == 4


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 40),  # minutes since the event before
        st.sampled_from("abcd"),
        st.sampled_from([Risk.HIGH, Risk.CRITICAL]),
        st.sampled_from([0, 0, 0, 2 * HOUR_MS]),  # age of the purchase
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(
    events=EVENTS,
    critical_per_hour=st.integers(1, 3),
    digests_per_hour=st.integers(1, 3),
    digest_size=st.integers(1, 5),
    passes=st.booleans(),
)
def test_every_alert_is_in_one_message_and_no_limit_is_broken(
    *,
    events: list[tuple[int, str, Risk, int]],
    critical_per_hour: int,
    digests_per_hour: int,
    digest_size: int,
    passes: bool,
) -> None:
    quiet = quiet_hours_of("22:00-07:00", "Europe/Berlin")
    policy = StaffPolicy(
        critical_per_hour=critical_per_hour,
        digests_per_hour=digests_per_hour,
        digest_size=digest_size,
        quiet_hours=quiet,
        critical_in_quiet_hours=passes,
    )
    channel, now_ms = Channel(policy), NOON_MS
    for number, (minutes, customer, risk, age_ms) in enumerate(events):
        now_ms += minutes * MINUTE_MS
        alert = a_staff_alert(
            verdict_id=str(number),
            customer_token=a_token(customer),
            risk=risk,
            event_at_ms=now_ms - age_ms,
        )
        channel.add(alert, now_ms=now_ms)
        channel.send_due(now_ms)
    for step in range(24 * 6):
        channel.send_due(now_ms + step * 10 * MINUTE_MS)
    assert channel.pending == []
    listed = Counter(a.verdict_id for _, message in channel.messages for a in message.alerts)
    assert listed == Counter(str(number) for number in range(len(events)))
    for kind, limit in (
        (MessageKind.CRITICAL, critical_per_hour),
        (MessageKind.DIGEST, digests_per_hour),
    ):
        times = [at_ms for at_ms, message in channel.messages if message.kind is kind]
        for at_ms in times:
            assert sum(at_ms - HOUR_MS < other <= at_ms for other in times) <= limit
    last_of: dict[str, int] = {}
    for at_ms, message in channel.messages:
        if message.kind is MessageKind.DIGEST:
            assert not quiet.covers(at_ms)
            continue
        assert passes or not quiet.covers(at_ms)
        (customer,) = message.customer_tokens
        assert at_ms - last_of.get(customer, -HOUR_MS) >= HOUR_MS
        last_of[customer] = at_ms
