from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from fraudwatch.adapters.json_codec import decode, encode
from fraudwatch.adapters.memory import MemoryDeadLetters, MemoryTopic
from fraudwatch.adapters.policy_file import load_policy
from fraudwatch.adapters.spark_stream import MicroBatch
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.dead_letter import Code
from fraudwatch.domain.transaction import Transaction
from fraudwatch.domain.verdict import Risk, Verdict
from fraudwatch.testing import NOON_MS, a_token, a_transaction
from streaming.detector import Detector

POLICY = load_policy(Path(__file__).parents[3] / "contracts/policies/default.yaml")
MINUTE_MS = 60_000


@pytest.fixture
def verdicts() -> MemoryTopic:
    return MemoryTopic()


@pytest.fixture
def letters() -> MemoryDeadLetters:
    return MemoryDeadLetters()


@pytest.fixture
def detector(verdicts: MemoryTopic, letters: MemoryDeadLetters) -> Detector:
    return Detector(POLICY, verdicts, letters)


def a_batch(*messages: Transaction | bytes, first_offset: int = 0) -> MicroBatch:
    values = [m if isinstance(m, bytes) else encode(m) for m in messages]
    rows = pa.table(
        {
            "partition": pa.array([0] * len(values), pa.int32()),
            "offset": pa.array(range(first_offset, first_offset + len(values)), pa.int64()),
            "timestamp_ms": pa.array([NOON_MS] * len(values), pa.int64()),
            "value": pa.array(values, pa.binary()),
        }
    )
    return MicroBatch(7, rows, NOON_MS + 50)


def judged(topic: MemoryTopic) -> list[Verdict]:
    return [decode(Verdict, value) for _, value, _ in topic.messages]


def run_of(count: int) -> list[Transaction]:
    return [
        a_transaction(transaction_id=f"shop:{n}", event_at_ms=NOON_MS + n * 1_000)
        for n in range(count)
    ]


def test_every_transaction_gets_one_verdict_with_its_place(
    detector: Detector, verdicts: MemoryTopic
) -> None:
    detector.judge(a_batch(*run_of(3), first_offset=40))
    assert [v.transaction_id for v in judged(verdicts)] == ["shop:0", "shop:1", "shop:2"]
    assert [v.source_offset for v in judged(verdicts)] == [40, 41, 42]
    assert {v.decided_at_ms for v in judged(verdicts)} == {NOON_MS + 50}
    assert {key for key, _, _ in verdicts.messages} == {a_token("a")}


def test_a_burst_is_seen_over_batches(detector: Detector, verdicts: MemoryTopic) -> None:
    burst = run_of(8)
    detector.judge(a_batch(*burst[:4]))
    detector.judge(a_batch(*burst[4:], first_offset=4))
    risks = [v.risk for v in judged(verdicts)]
    assert risks == [Risk.LOW] * 6 + [Risk.HIGH] * 2
    assert judged(verdicts)[-1].reasons[0].rule == "rapid_purchases"


def test_a_repeat_gets_no_second_verdict(detector: Detector, verdicts: MemoryTopic) -> None:
    detector.judge(a_batch(a_transaction(), a_transaction()))
    detector.judge(a_batch(a_transaction(), first_offset=2))
    assert len(verdicts.messages) == 1


def test_garbage_is_put_aside_with_its_place_and_stops_nothing(
    detector: Detector, verdicts: MemoryTopic, letters: MemoryDeadLetters
) -> None:
    detector.judge(a_batch(b"garbage", a_transaction(), b"{}", first_offset=10))
    assert {o: letter.code for o, letter in letters.letters.items()} == {
        "transaction_topic-0-10": Code.NOT_JSON,
        "transaction_topic-0-12": Code.WRONG_SCHEMA,
    }
    assert [v.source_offset for v in judged(verdicts)] == [11]


def test_a_batch_of_nothing_but_garbage(detector: Detector, verdicts: MemoryTopic) -> None:
    detector.judge(a_batch(b"", b"null"))
    assert verdicts.messages == []


def test_what_was_judged_before_a_restart_is_remembered_silently(
    verdicts: MemoryTopic, letters: MemoryDeadLetters
) -> None:
    history, later = run_of(12)[:9], run_of(12)[9:]
    whole = Detector(POLICY, MemoryTopic(), letters)
    whole.judge(a_batch(*history))
    restarted = Detector(POLICY, verdicts, letters)
    restarted.remember([encode(one) for one in history])
    assert verdicts.messages == []
    for detector in (whole, restarted):
        detector.judge(a_batch(*later, first_offset=9))
    assert isinstance(whole.verdicts, MemoryTopic)
    assert verdicts.messages == whole.verdicts.messages[9:]


def test_an_unacknowledged_batch_fails_so_that_spark_does_not_commit_it(
    detector: Detector, verdicts: MemoryTopic
) -> None:
    verdicts.is_reachable = False
    with pytest.raises(NotDelivered):
        detector.judge(a_batch(a_transaction()))
