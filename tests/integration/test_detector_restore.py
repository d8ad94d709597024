"""The detector's start on real Kafka and Spark, where retention removed the topic's beginning."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession

from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.codecs.log_fold import fold_messages
from fraudwatch.adapters.codecs.periodic_snapshots import PeriodicSnapshots
from fraudwatch.adapters.codecs.state_snapshots import Covered, SnapshotFolder
from fraudwatch.adapters.kafka_log.ends import ends_of
from fraudwatch.adapters.kafka_log.log import (
    KafkaTopic,
    RetentionOvertook,
    client_config,
    read_range,
)
from fraudwatch.adapters.lake.spark_checkpoint import checkpoint_folder, initial_offsets
from fraudwatch.adapters.lake.spark_stream import MicroBatch, start_query
from fraudwatch.adapters.memory.verdict_store import MemoryDeadLetters, MemoryVerdictLog
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.reconciliation.day_cut import Ends
from fraudwatch.samples import NOON_MS, a_token, a_transaction
from fraudwatch.settings import DetectorSettings, KafkaSettings
from fraudwatch.stack.home import ROOT
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import TRANSACTION_TOPIC
from streaming.detector.restoring import HistoryMissing, restore
from streaming.detector.scoring import Detector

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]

POLICY = load_policy(ROOT / "contracts/policies/default.yaml")
PURCHASES, REMOVED = 60, 5  # removed: of each partition


@pytest.fixture
def settings(tmp_path: Path) -> DetectorSettings:
    return DetectorSettings(
        state_folder=tmp_path / "detector",
        states_folder=tmp_path / "states",
        models_folder=tmp_path,
        views_folder=tmp_path,
        dead_letter_key_path=tmp_path,
        connector_jars="",
        extra_class_path="",
    )


@pytest.fixture(scope="module")
def kafka(kafka_stack: PrivateStack) -> KafkaSettings:
    return kafka_stack.kafka("detector")


@dataclass(frozen=True)
class History:
    """A topic whose beginning was removed, and the states before that."""

    ends: Ends
    whole: CustomerState  # at the ends
    middle: Ends  # still on the topic
    state_in_the_middle: CustomerState


@pytest.fixture(scope="module")
def history(kafka_stack: PrivateStack, kafka: KafkaSettings) -> History:
    admin = kafka_stack.kafka("admin")
    sent = [(a_token("abcd"[n % 4]), purchase(n), NOON_MS) for n in range(PURCHASES)]
    KafkaTopic(admin, TRANSACTION_TOPIC).publish(sent)
    ends = ends_of(kafka, TRANSACTION_TOPIC)
    assert all(end > REMOVED + 2 for end in ends.values())
    middle = dict.fromkeys(ends, REMOVED + 2)
    found = History(ends, CustomerState(), middle, CustomerState())
    fold_range(found.whole, kafka, {}, ends)
    fold_range(found.state_in_the_middle, kafka, {}, middle)
    lows = [TopicPartition(TRANSACTION_TOPIC, number, REMOVED) for number in ends]
    client = AdminClient({**client_config(admin)})
    for removed in client.delete_records(lows).values():
        assert removed.result(timeout=30).low_watermark == REMOVED
    return found


def purchase(number: int) -> bytes:
    return encode(
        a_transaction(
            transaction_id=f"restore:{number}",
            customer_token=a_token("abcd"[number % 4]),
            event_at_ms=NOON_MS + number * 1_000,
        )
    )


def fold_range(state: CustomerState, kafka: KafkaSettings, starts: Ends, ends: Ends) -> None:
    for messages in read_range(kafka, TRANSACTION_TOPIC, ends, starts=starts):
        produced_at_ms = np.array([m.timestamp()[1] for m in messages], dtype=np.int64)
        fold_messages(state, [m.value() or b"" for m in messages], produced_at_ms)


def a_detector() -> Detector:
    class NoSnapshots:
        def offer(self, state: CustomerState, ends: dict[int, int]) -> None:
            """Store nothing."""

    return Detector(
        lambda _: POLICY, lambda _: ActiveModels(), MemoryVerdictLog(), MemoryDeadLetters(),
        NoSnapshots(),
    )  # fmt: skip


def restored(
    settings: DetectorSettings, kafka: KafkaSettings, detector: Detector | None = None
) -> Ends:
    snapshots = PeriodicSnapshots(
        SnapshotFolder(settings.state_folder / "snapshots"),
        features_version(), 30.0, lambda: 0, lambda _: None,
    )  # fmt: skip
    return restore(detector or a_detector(), snapshots, settings, kafka)


def by_customer(state: CustomerState) -> dict[int, tuple[bytes, ...]]:
    copy = state.copied()
    return {
        int(key): tuple(values.tobytes() for values in copy.rows.chosen([row]))
        for row, key in enumerate(copy.keys)
    }


def publish(settings: DetectorSettings, state: CustomerState, ends: Ends) -> None:
    covered = Covered(features_version(), ends, 1)
    SnapshotFolder(settings.states_folder).write([state.copied()], covered)


def test_a_truncated_topic_is_not_folded_from_what_is_left(
    settings: DetectorSettings, kafka: KafkaSettings, history: History
) -> None:
    with pytest.raises(RetentionOvertook, match="begins at offset 5, and 0 is needed"):
        fold_range(CustomerState(), kafka, {}, history.ends)
    with pytest.raises(HistoryMissing, match=r"begins at offset 5.*fraudwatch build-states"):
        restored(settings, kafka)


def test_scoring_continues_from_a_published_state_also_after_a_crash_in_the_first_batch(
    settings: DetectorSettings, kafka: KafkaSettings, history: History, spark: SparkSession
) -> None:
    publish(settings, history.state_in_the_middle, history.middle)
    starts = restored(settings, kafka)
    assert starts == history.middle
    delivered: list[MicroBatch] = []

    def fail(batch: MicroBatch) -> None:
        delivered.append(batch)
        raise RuntimeError("the first batch fails")

    query = start_query(spark, settings, kafka, TRANSACTION_TOPIC, fail, starts)
    with pytest.raises(StreamingQueryException, match="the first batch fails"):
        query.awaitTermination()
    [batch] = delivered
    assert (batch.ends, len(batch.values)) == (
        history.ends,
        sum(history.ends.values()) - sum(history.middle.values()),
    )
    assert initial_offsets(settings, TRANSACTION_TOPIC) == history.middle

    # Spark runs the batch again, so a state that was published in the meantime is too far.
    publish(settings, history.whole, history.ends)
    detector = a_detector()
    assert restored(settings, kafka, detector) == history.middle
    detector.fold_history(batch.values, batch.produced_at_ms)
    assert by_customer(detector.customers) == by_customer(history.whole)


def test_after_a_commit_a_published_state_is_folded_on_to_what_is_scored(
    settings: DetectorSettings, kafka: KafkaSettings, history: History
) -> None:
    commit(settings, history.ends)
    with pytest.raises(HistoryMissing):
        restored(settings, kafka)
    publish(settings, history.state_in_the_middle, history.middle)
    detector = a_detector()
    assert restored(settings, kafka, detector) == detector.ends == history.ends
    assert by_customer(detector.customers) == by_customer(history.whole)


def commit(settings: DetectorSettings, ends: Ends) -> None:
    """Log a committed batch as Spark does."""
    folder = checkpoint_folder(settings)
    offsets = json.dumps({TRANSACTION_TOPIC: {str(number): end for number, end in ends.items()}})
    for name, text in (("offsets", f'v1\n{{"batchTimestampMs":1}}\n{offsets}'), ("commits", "v1")):
        (folder / name).mkdir(parents=True)
        (folder / name / "0").write_text(text)
