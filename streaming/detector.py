"""The detector: one Spark Structured Streaming query that turns transactions into verdicts.

``python -m streaming.detector`` reads ``transaction_topic``, folds each transaction through the
feature function, lets the policy judge, writes ``fraud_topic`` and ``feature_topic``, and only then
lets Spark commit.

The state lives in this process and is a fold of the log alone. After a crash it is taken from the
newest snapshot and folded on, without a word, up to what Spark has committed; then Spark runs the
begun batch again, with the same offsets, time and policy, so that its verdicts are the same bytes.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
from prometheus_client import start_http_server

from fraudwatch.adapters.json_codec import encode
from fraudwatch.adapters.kafka_log import (
    KafkaDeadLetters,
    KafkaFeatureLog,
    KafkaTopic,
    read_range,
)
from fraudwatch.adapters.log_fold import FoldedMessages, fold_messages, packed
from fraudwatch.adapters.message_frames import Decided, encode_verdicts
from fraudwatch.adapters.policy_book import PolicyBook
from fraudwatch.adapters.policy_file import load_policy
from fraudwatch.adapters.spark_stream import MicroBatch, build_session, committed_ends, start_query
from fraudwatch.adapters.state_snapshots import PeriodicSnapshots, SnapshotFolder
from fraudwatch.application.assess import assess
from fraudwatch.application.ports import DeadLetters, FeatureLog, Publisher
from fraudwatch.domain.dead_letter import DeadLetter, Stage
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.policy import Policy
from fraudwatch.domain.rules.rule import Seen
from fraudwatch.observability.logs import configure_logging
from fraudwatch.observability.metrics import counter, gauge, histogram
from fraudwatch.settings import DetectorSettings, KafkaSettings
from fraudwatch.testing import a_transaction
from fraudwatch.topics import FRAUD_TOPIC, TRANSACTION_TOPIC

log = logging.getLogger("detector")

_verdicts = counter("fraudwatch_detector_verdicts")
_repeats = counter("fraudwatch_detector_repeats")
_dead_letters = counter("fraudwatch_dead_letters")
_batch_seconds = histogram("fraudwatch_detector_batch_seconds")
_event_to_verdict = histogram("fraudwatch_event_to_verdict_seconds")
_customers = gauge("fraudwatch_detector_customers")
_judged_until = gauge("fraudwatch_detector_judged_until_seconds")
_snapshot_at = gauge("fraudwatch_detector_snapshot_at_seconds")
_policy_usable = gauge("fraudwatch_detector_policy_usable")


class Snapshots(Protocol):
    """Told between batches what may be kept."""

    def offer(self, state: CustomerState, ends: dict[int, int]) -> None:
        """Everything in ``state`` up to ``ends`` is committed now."""


@dataclass(slots=True)
class Detector:
    """Judges micro-batches over a state of its own."""

    policy_of: Callable[[MicroBatch], Policy]
    verdicts: Publisher
    features: FeatureLog
    dead_letters: DeadLetters
    snapshots: Snapshots
    customers: CustomerState = field(default_factory=CustomerState)
    ends: dict[int, int] = field(default_factory=dict)

    def remember(self, messages: list[bytes], produced_at_ms: npt.NDArray[np.int64]) -> None:
        """Fold messages that were judged before this process began; nothing is written."""
        fold_messages(self.customers, messages, produced_at_ms)

    def judge(self, batch: MicroBatch) -> None:
        """Judge a batch and return when all that it says is acknowledged."""
        # Spark begins a batch after it has committed the one before: that one may be kept now.
        self.snapshots.offer(self.customers, self.ends)
        with _batch_seconds.time():
            folded = fold_messages(self.customers, batch.values, batch.produced_at_ms)
            self._put_aside(folded, batch)
            self._publish(folded, batch, self.policy_of(batch))
        self.ends |= batch.ends
        _repeats.inc(folded.repeats)
        _customers.set(self.customers.customers)
        _judged_until.set(batch.produced_at_ms.max() / 1000)

    def _publish(self, folded: FoldedMessages, batch: MicroBatch, policy: Policy) -> None:
        held = assess(Seen(folded.amount_eur_cents, folded.features), policy)
        decided = Decided(
            assessment=held,
            policy=policy,
            features_version=features_version(),
            source_partition=batch.partition[folded.position],
            source_offset=batch.offset[folded.position],
            decided_at_ms=batch.decided_at_ms,
        )
        keys = folded.frame["customer_token"].to_list()
        produced_at = batch.produced_at_ms[folded.position].tolist()
        values = encode_verdicts(folded.frame, decided)
        self.verdicts.publish(list(zip(keys, values, produced_at, strict=True)))
        names = folded.frame["transaction_id"].to_list()
        vectors = packed(folded.features)
        self.features.append(list(zip(keys, names, vectors, strict=True)), features_version())
        now_ms = time.time_ns() // 1_000_000
        for level, produced_ms in zip(held.level.tolist(), produced_at, strict=True):
            _verdicts.labels(risk=policy.levels[level].risk).inc()
            _event_to_verdict.observe(max(0, now_ms - produced_ms) / 1000)

    def _put_aside(self, folded: FoldedMessages, batch: MicroBatch) -> None:
        letters = [
            DeadLetter(
                code=why.code,
                stage=Stage.DETECTOR,
                origin=f"{TRANSACTION_TOPIC}-{batch.partition[place]}-{batch.offset[place]}",
                reason=why.reason,
                payload=batch.values[place],
                at_ms=batch.decided_at_ms,
            )
            for place, why in folded.refused
        ]
        if letters:
            self.dead_letters.put(letters)
        for letter in letters:
            _dead_letters.labels(stage=letter.stage, code=letter.code).inc()
            log.warning("put aside %s: %s", letter.origin, letter.reason)


def restore(
    detector: Detector, folder: SnapshotFolder, kafka: KafkaSettings, committed: dict[int, int]
) -> None:
    """Bring the state to what Spark has committed: newest snapshot, then the log behind it.

    Raises:
        RetentionOvertook: neither a snapshot nor the whole log is left to fold from.
    """
    began, events, starts = time.monotonic(), 0, {}
    if found := folder.newest(features_version(), committed):
        detector.customers, starts = found.state, dict(found.covered.ends)
        _snapshot_at.set(found.covered.taken_at_ms / 1000)
    for messages in read_range(kafka, TRANSACTION_TOPIC, committed, starts=starts):
        produced_at_ms = np.array([m.timestamp()[1] for m in messages], dtype=np.int64)
        detector.remember([m.value() or b"" for m in messages], produced_at_ms)
        events += len(messages)
    detector.ends = dict(committed)
    log.info(
        "state of %d customers from %s and %d events of the log in %.1f s",
        detector.customers.customers,
        "a snapshot" if found else "no snapshot",
        events,
        time.monotonic() - began,
    )


def warm_up(policy: Policy) -> None:
    """Compile and load everything a batch needs, on a state that is thrown away."""
    sample = fold_messages(CustomerState(), [encode(a_transaction())], np.full(1, 2**60))
    held = assess(Seen(sample.amount_eur_cents, sample.features), policy)
    origin = np.zeros(1, dtype=np.int64)
    encode_verdicts(sample.frame, Decided(held, policy, "", origin, origin, 0))


def main() -> None:
    """Wire the detector and run it until it is stopped or something breaks."""
    configure_logging("detector")
    settings, kafka = DetectorSettings(), KafkaSettings()
    folder = SnapshotFolder(settings.state_folder / "snapshots")
    policies = PolicyBook(
        settings.policy_path, settings.state_folder / "policies", _policy_usable.set
    )
    detector = Detector(
        policy_of=lambda batch: policies.policy_for(batch.batch_id, is_rerun=batch.is_rerun),
        verdicts=KafkaTopic(kafka, FRAUD_TOPIC),
        features=KafkaFeatureLog(kafka),
        dead_letters=KafkaDeadLetters(kafka, settings.dead_letter_key_path),
        snapshots=PeriodicSnapshots(
            folder,
            features_version(),
            settings.snapshot_seconds,
            now_ms=lambda: time.time_ns() // 1_000_000,
            on_written=_snapshot_at.set,
        ),
    )
    settings.state_folder.mkdir(parents=True, exist_ok=True)
    warm_up(load_policy(settings.policy_path))
    session = build_session(settings)
    restore(detector, folder, kafka, committed_ends(settings, TRANSACTION_TOPIC))
    # An exception in a batch ends the query and with it this process: once folding began, the state
    # may hold what was never written, and only a fold from the log makes it whole again.
    query = start_query(session, settings, kafka, TRANSACTION_TOPIC, detector.judge)
    # What exists by now lives as long as the process; collecting it again and again costs p99.
    gc.collect()
    gc.freeze()
    start_http_server(settings.metrics_port, addr="127.0.0.1")
    log.info("judging, features %s", features_version())
    query.awaitTermination()


if __name__ == "__main__":
    main()
