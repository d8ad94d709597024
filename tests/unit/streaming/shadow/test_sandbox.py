"""The sandbox beside a detector: the same verdicts, of a state of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Event, Thread
from typing import Any

import pytest
from prometheus_client import REGISTRY

from fraudwatch.adapters.artefacts.newest_artefacts import ScoringArtefacts
from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.memory.verdict_store import MemoryTopic
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.policy.list_document import ListEntry, ListKind, ListName, PolicyLists
from fraudwatch.domain.policy.list_document import with_lists as add_lists
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.samples import NOON_MS
from streaming.shadow.sandbox import SandboxLoop

PRODUCED_MS = NOON_MS + 10_000_000


@dataclass
class Live:
    """What the detector scores with; nothing while it has scored nothing."""

    found: ScoringArtefacts | None
    opened: int = 0

    def is_known(self) -> bool:
        return self.found is not None

    def current(self) -> ScoringArtefacts | None:
        self.opened += 1
        return self.found


@dataclass(frozen=True)
class Produced:
    """A message with the broker's time."""

    message: Any

    def offset(self) -> int:
        return int(self.message.offset())

    def value(self) -> bytes:
        return bytes(self.message.value())

    def timestamp(self) -> tuple[int, int]:
        return 1, PRODUCED_MS


@dataclass
class Cursor:
    """Messages of a partition that come after the sandbox began."""

    messages: Sequence[Any]
    randomness: random.Random
    sizes: tuple[int, ...] = (0, 1, 7, 200)
    at: int = -1

    def offset_at(self, at_ms: int) -> int:
        assert at_ms == NOON_MS
        return 0

    def seek(self, offset: int) -> None:
        self.at = offset

    def read(self, max_messages: int, timeout_seconds: float) -> Any:
        assert timeout_seconds < 1
        assert max_messages >= max(self.sizes)
        size = self.randomness.choice(self.sizes)
        found = [Produced(one) for one in self.messages[self.at : self.at + size]]
        self.at += len(found)
        return found

    def close(self) -> None:
        self.messages = ()


@pytest.fixture
def listed(policy: Policy) -> Policy:
    """The live policy with a merchant on its deny list."""
    entry = ListEntry(
        name=ListName.DENY,
        kind=ListKind.MERCHANT,
        value="denied",
        reason="a test",
        by="lina",
        added_at_ms=NOON_MS - 1,
    )
    return add_lists(policy, PolicyLists("0123abcd", (entry,)))


def unscored() -> float:
    return REGISTRY.get_sample_value("fraudwatch_shadow_sandbox_unscored_total") or 0.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_judges_as_the_detector_does(
    a_stream: Callable[..., Any], listed: Policy, seed: int
) -> None:
    stream = a_stream()
    for n in range(0, 400, 90):
        stream.purchases[n] = replace(stream.purchases[n], merchant_id="denied")
    stream.score(listed, ActiveModels(), [slice(0, 400)])
    cursor, topic = Cursor(stream.transactions(), random.Random(seed)), MemoryTopic()
    live, before = Live(ScoringArtefacts(listed, ActiveModels())), unscored()
    loop = SandboxLoop([cursor], live, topic, lambda: NOON_MS)
    loop.step()
    while cursor.at < 400:
        loop.step()
    # However the topic is read: repeats get no verdict, lists count, the bytes are the detector's.
    expected = [(one[0], one[1]) for one in stream.written.verdicts]
    assert [(key, value) for key, value, _ in topic.messages] == expected
    outcomes = [decode(Verdict, value) for _, value, _ in topic.messages]
    assert any("deny_list" in {reason.rule for reason in one.reasons} for one in outcomes)
    assert unscored() - before == 400 - len(expected)


def test_purchases_wait_for_the_first_policy_and_nothing_is_opened_without_one(
    a_stream: Callable[..., Any], policy: Policy
) -> None:
    cursor, topic = Cursor(a_stream(20).transactions(), random.Random(1)), MemoryTopic()
    live = Live(None)
    loop = SandboxLoop([cursor], live, topic, lambda: NOON_MS)
    assert loop.step() is None
    assert (cursor.at, live.opened) == (0, 0)
    live.found = ScoringArtefacts(policy, ActiveModels())
    cursor.messages, waiting = (), cursor.messages
    loop.step()
    assert live.opened == 0  # models take memory, so the first purchase opens them
    cursor.messages = waiting
    while cursor.at < 20:
        loop.step()
    assert topic.messages


def test_a_changed_policy_counts_from_the_next_purchase_on(
    a_stream: Callable[..., Any], policy: Policy, listed: Policy
) -> None:
    cursor = Cursor(a_stream(40).transactions(), random.Random(1), sizes=(5,))
    topic = MemoryTopic()
    live = Live(ScoringArtefacts(policy, ActiveModels()))
    loop = SandboxLoop([cursor], live, topic, lambda: NOON_MS)
    while cursor.at < 10:
        loop.step()
    first = len(topic.messages)
    live.found = ScoringArtefacts(listed, ActiveModels())
    assert cursor.at == 10
    while cursor.at < 40:
        loop.step()
    versions = [decode(Verdict, value).policy_version for _, value, _ in topic.messages]
    assert set(versions[:first]) == {policy.version}
    assert set(versions[first:]) == {listed.version}


def test_a_lost_verdict_and_a_full_state_stop_nothing(
    a_stream: Callable[..., Any], policy: Policy
) -> None:
    cursor = Cursor(a_stream(60).transactions(), random.Random(1), sizes=(5,))
    topic = MemoryTopic()
    live, before = Live(ScoringArtefacts(policy, ActiveModels())), unscored()
    loop = SandboxLoop([cursor], live, topic, lambda: NOON_MS, most_customers=3)
    topic.is_reachable = False
    while cursor.at < 20:
        loop.step()
    assert unscored() - before == 20
    topic.is_reachable = True
    while cursor.at < 60:
        loop.step()
    assert len(topic.messages) > 30
    assert loop._customers.customers <= 3


def test_it_ends_when_the_process_stops() -> None:
    stopping = Event()
    loop = SandboxLoop([], Live(None), MemoryTopic(), lambda: NOON_MS)
    thread = Thread(target=loop.run, args=(stopping,))
    thread.start()
    stopping.set()
    thread.join(5)
    assert not thread.is_alive()
