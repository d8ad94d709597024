"""One decision on several cases: the groups, and labels that are all published or named."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.memory.casework import MemoryClaims
from fraudwatch.adapters.memory.verdict_store import MemoryTopic
from fraudwatch.application.console.access import Forbidden, Person, Role
from fraudwatch.application.console.alerts import Alert, alert_of
from fraudwatch.application.console.audit import PublishedAudit
from fraudwatch.application.console.casework import Shared
from fraudwatch.application.console.group_decision import GroupBy, GroupDecisions, groups_of
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.label import LabelValue
from fraudwatch.samples import NOON_MS, a_token, a_verdict

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ANN, ROOT = Person("ann", Role.ANALYST), Person("root", Role.ADMIN)
FRAUD = (LabelValue.FRAUD, "One device, nine cards.")


def an_alert(name: str, customer: str = "a") -> Alert:
    return alert_of(a_verdict(transaction_id=name, customer_token=a_token(customer)))


def test_groups_are_open_alerts_of_the_same_customer_card_device_or_network() -> None:
    case = an_alert("shop:case")
    alerts = [
        case,
        an_alert("shop:customer"),
        an_alert("shop:card", "b"),
        an_alert("shop:device", "c"),
        an_alert("shop:both", "d"),
        an_alert("shop:other", "e"),
    ]
    shared = {
        Shared.CARD: ["shop:case", "shop:card", "shop:both", "shop:decided"],
        Shared.DEVICE: ["shop:device", "shop:both"],
        Shared.IP_NETWORK: ["shop:case"],
    }
    groups = groups_of(case, alerts, shared)
    names = {by: [one.transaction_id for one in group] for by, group in groups.items()}
    assert names == {
        GroupBy.CUSTOMER: ["shop:customer"],
        GroupBy.CARD: ["shop:card", "shop:both"],
        GroupBy.DEVICE: ["shop:device", "shop:both"],
        GroupBy.CAMPAIGN: ["shop:customer", "shop:card", "shop:device", "shop:both"],
    }
    assert groups_of(case, [case], {}) == {}


@dataclass
class World:
    claims: MemoryClaims = field(default_factory=lambda: MemoryClaims(lambda: NOW))
    topic: MemoryTopic = field(default_factory=MemoryTopic)
    audit: MemoryTopic = field(default_factory=MemoryTopic)

    @property
    def decisions(self) -> GroupDecisions:
        log = PublishedAudit(self.audit, encode)
        return GroupDecisions(self.topic, self.claims, encode, lambda: log)

    @property
    def labels(self) -> list[tuple[str, str, str]]:
        labels = [json.loads(message) for _, message, _ in self.topic.messages]
        return [(one["transaction_id"], one["verdict"], one["by"]) for one in labels]


def test_each_case_gets_a_label_after_one_record() -> None:
    world = World()
    names = [f"shop:{n}" for n in range(120)]
    world.claims.claim("shop:7", "ann")
    result = world.decisions.decide(ANN, [*names, "shop:0"], FRAUD, at_ms=NOON_MS)
    assert (list(result.decided), result.failed) == (names, {})
    assert world.labels == [(name, "fraud", "ann") for name in names]
    assert world.claims.active_claims() == {}
    [(_, record, _)] = world.audit.messages
    assert json.loads(record)["deed"] == "cases_decided"
    assert json.loads(record)["reason"] == "120 cases: fraud. One device, nine cards."


def test_a_case_of_another_analyst_is_left_out_and_named() -> None:
    world = World()
    world.claims.claim("shop:1", "ben")
    result = world.decisions.decide(ANN, ["shop:0", "shop:1"], FRAUD, at_ms=NOON_MS)
    assert list(result.decided) == ["shop:0"]
    assert result.failed == {"shop:1": "ben works on it"}
    assert world.claims.active_claims() == {"shop:1": "ben"}
    assert [name for name, *_ in world.labels] == ["shop:0"]


def test_what_the_broker_does_not_acknowledge_is_named_and_a_repeat_sends_equal_labels() -> None:
    class FailsOnce(MemoryTopic):
        calls = 0

        def publish(self, messages: Sequence[tuple[str, bytes, int]]) -> None:
            self.calls += 1
            if self.calls == 2:
                raise NotDelivered("this memory topic fails once")
            super().publish(messages)

    world, names = World(topic=FailsOnce()), [f"shop:{n}" for n in range(120)]
    result = world.decisions.decide(ANN, names, FRAUD, at_ms=NOON_MS)
    assert list(result.decided) == names[:50]
    assert list(result.failed) == names[50:]
    again = world.decisions.decide(ANN, names, FRAUD, at_ms=NOON_MS)
    assert (list(again.decided), again.failed) == (names, {})
    assert world.topic.messages[:50] == world.topic.messages[50:100]


@pytest.mark.parametrize(
    ("count", "note", "problem"),
    [(201, FRAUD[1], "cases must be 1 to 200"), (0, FRAUD[1], "cases"), (2, "same", "note must")],
)
def test_too_many_cases_or_no_reason_decide_nothing(count: int, note: str, problem: str) -> None:
    world = World()
    names = [f"shop:{n}" for n in range(count)]
    with pytest.raises(Refused, match=problem):
        world.decisions.decide(ANN, names, (LabelValue.FRAUD, note), at_ms=NOON_MS)
    assert (world.labels, world.audit.messages) == ([], [])


def test_without_its_record_nothing_is_decided() -> None:
    world = World()
    world.audit.is_reachable = False
    with pytest.raises(NotDelivered):
        world.decisions.decide(ANN, ["shop:0"], FRAUD, at_ms=NOON_MS)
    assert world.labels == []


def test_who_decides_no_cases_decides_no_group() -> None:
    with pytest.raises(Forbidden):
        World().decisions.decide(ROOT, ["shop:0"], FRAUD, at_ms=NOON_MS)
