"""Recording and delivering messages to staff over the memory twin."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from fraudwatch.adapters.memory.notifications import MemoryNotificationStore
from fraudwatch.application.notifying.ports import ChannelUnavailable, StaffMessage
from fraudwatch.application.notifying.record_verdicts import RecordVerdicts
from fraudwatch.application.notifying.staff_delivery import StaffDelivery
from fraudwatch.application.notifying.staff_texts import StaffTexts
from fraudwatch.domain.messages.purchase import PaymentStatus
from fraudwatch.domain.messages.verdict import Outcome, Reason, Risk, Verdict
from fraudwatch.domain.notifications.customer_notice import NoticeTemplate
from fraudwatch.domain.notifications.staff_policy import StaffPolicy
from fraudwatch.samples import NOON_MS, a_token, a_verdict

TEXTS = StaffTexts("https://console.example")
POLICY = StaffPolicy()


@dataclass
class FakeChannel:
    """A channel that collects messages and can be made unavailable."""

    name: str = "mail"
    is_reachable: bool = True
    sent: list[StaffMessage] = field(default_factory=list)

    def send(self, message: StaffMessage) -> None:
        if not self.is_reachable:
            raise ChannelUnavailable("this channel was made unavailable")
        self.sent.append(message)


@dataclass
class World:
    """The notifier's state, one channel and a clock."""

    now: int = NOON_MS
    store: MemoryNotificationStore = field(default_factory=MemoryNotificationStore)
    channel: FakeChannel = field(default_factory=FakeChannel)

    def record(self, *verdicts: Verdict, events: frozenset[NoticeTemplate] = frozenset()) -> int:
        return RecordVerdicts(self.store, POLICY, ["mail"], events, self.clock).record(verdicts)

    def clock(self) -> int:
        return self.now

    @property
    def delivery(self) -> StaffDelivery:
        return StaffDelivery(self.store, self.channel, POLICY, TEXTS, self.clock)

    def deliver(self) -> None:
        while message := self.delivery.next_message():
            self.delivery.send(message)


def critical(transaction_id: str = "shop:1", **changes: object) -> Verdict:
    return a_verdict(
        **{
            "transaction_id": transaction_id,
            "risk": Risk.CRITICAL,
            "outcome": Outcome.DECLINE,
            **changes,
        }
    )


def test_a_critical_mail_says_what_was_done_and_links_to_the_case() -> None:
    world = World()
    assert world.record(critical("shop:a/b&c"), a_verdict(risk=Risk.LOW)) == 1
    world.deliver()
    [sent] = world.channel.sent
    assert sent.subject == "[fraudwatch] CRITICAL: 1,200.00 EUR, declined"
    assert "https://console.example/case?transaction=shop%3Aa%2Fb%26c" in sent.text
    assert "CRITICAL: 1,200.00 EUR at 2026-01-15 12:00 UTC, declined" in sent.text
    assert "reasons: high_amount" in sent.text


def test_no_message_has_more_than_a_part_of_a_token_or_a_sentence_of_a_rule() -> None:
    world = World()
    world.record(critical(reasons=(Reason("deny_list", 100, "Card 1234 is on the list."),)))
    world.deliver()
    text = world.channel.sent[0].subject + world.channel.sent[0].text
    for hidden in (a_token("a"), "a" * 7, "00000000", "merchant-1", "1111", "Card 1234"):
        assert hidden not in text
    assert "Customer aaaaaa…" in text


def test_a_digest_lists_customers_by_severity_and_counts_the_rest() -> None:
    world = World()
    for n, name in enumerate("bcdefg"):
        world.record(a_verdict(transaction_id=f"shop:{n}", customer_token=a_token(name)))
    world.record(
        critical("shop:7", event_at_ms=NOON_MS - 3_600_000, amount_eur_cents=5),
        critical("shop:8", event_at_ms=NOON_MS - 3_600_000, amount_eur_cents=5),
    )
    world.now += 900_000
    delivery = world.delivery
    message = StaffDelivery(
        world.store, world.channel, POLICY, StaffTexts("http://c", max_lines=2), world.clock
    ).next_message()
    assert message is not None
    assert message.subject == "[fraudwatch] Digest: 8 alerts"
    head, first, *_ = message.text.split("\n\n")
    assert head == "8 alerts (2 CRITICAL, 6 HIGH)."
    assert "2 alerts of this customer, 0.10 EUR in total" in first
    assert "And 5 customers more: http://c" in message.text
    assert delivery.next_message() == message


def test_after_a_kill_between_sending_and_recording_the_same_message_is_sent_again() -> None:
    world = World()
    world.record(critical())
    first = world.delivery.next_message()
    assert first is not None
    world.channel.send(first)  # and the process is killed
    world.record(critical(), critical("shop:2"))  # consumed again, and more of the customer
    world.now += 60_000
    world.deliver()
    assert [one.message_id for one in world.channel.sent] == [first.message_id] * 2
    assert world.channel.sent[0] == world.channel.sent[1]


def test_while_a_channel_fails_everything_waits_and_comes_as_one_digest() -> None:
    world = World()
    world.channel.is_reachable = False
    world.record(critical("shop:0", customer_token=a_token("z")))
    with pytest.raises(ChannelUnavailable):
        world.deliver()
    for n, name in enumerate("abcdef"):
        world.record(critical(f"shop:1{n}", customer_token=a_token(name)))
    assert world.delivery.oldest_age_seconds() == 0
    world.now += 3_600_000
    assert world.delivery.oldest_age_seconds() == 3_600
    world.channel.is_reachable = True
    world.deliver()
    assert [len(one.verdict_ids) for one in world.channel.sent] == [1, 6]
    assert world.channel.sent[1].subject == "[fraudwatch] Digest: 6 alerts"
    assert world.delivery.oldest_age_seconds() == 0


@pytest.mark.parametrize(
    ("changes", "template"),
    [
        ({"outcome": Outcome.DECLINE}, NoticeTemplate.DECLINED),
        ({"outcome": Outcome.REVIEW}, NoticeTemplate.REVIEWED),
        ({"outcome": Outcome.CHALLENGE}, None),
        ({"outcome": Outcome.APPROVE}, None),
        ({"outcome": Outcome.DECLINE, "payment_status": PaymentStatus.FAILED}, None),
        ({"outcome": Outcome.DECLINE, "event_at_ms": NOON_MS - 901_000}, None),
    ],
)
def test_customers_get_notices_of_recent_payments_by_outcome(
    changes: dict[str, object], template: NoticeTemplate | None
) -> None:
    world = World()
    world.record(a_verdict(**changes), events=frozenset(NoticeTemplate))
    found = [one.template for one in world.store.waiting_notices(9)]
    assert found == ([template] if template else [])


def test_only_configured_events_notify_customers() -> None:
    world = World()
    world.record(a_verdict(outcome=Outcome.REVIEW), events=frozenset({NoticeTemplate.DECLINED}))
    world.record(critical("shop:2"))
    assert world.store.waiting_notices(9) == []
