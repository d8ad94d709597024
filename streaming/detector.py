"""The detector: one Spark Structured Streaming query that turns transactions into verdicts.

``python -m streaming.detector`` reads ``transaction_topic``, folds each transaction through the
feature function, lets the policy judge, writes ``fraud_topic`` and only then lets Spark commit.

The state lives in this process and is a fold of the input alone. After a crash it is folded again,
without a word, from the log's beginning up to what Spark has committed; then Spark runs the begun
batch again, with the same offsets and the same time, so that its verdicts are the same bytes.
"""

from __future__ import annotations

import gc
import logging
import time
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from prometheus_client import start_http_server

from fraudwatch.adapters.json_codec import encode
from fraudwatch.adapters.kafka_log import KafkaDeadLetters, KafkaTopic, read_range
from fraudwatch.adapters.message_frames import (
    Decided,
    Parsed,
    encode_verdicts,
    events_of,
    parse_transactions,
)
from fraudwatch.adapters.policy_file import load_policy
from fraudwatch.adapters.spark_stream import (
    MicroBatch,
    build_session,
    committed_ends,
    start_query,
)
from fraudwatch.application.assess import assess
from fraudwatch.application.ports import DeadLetters, Publisher
from fraudwatch.domain.dead_letter import DeadLetter, Stage
from fraudwatch.domain.features.fold import features_version, fold
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


@dataclass(slots=True)
class Detector:
    """Judges micro-batches over a state of its own."""

    policy: Policy
    verdicts: Publisher
    dead_letters: DeadLetters
    customers: CustomerState = field(default_factory=CustomerState)

    def remember(self, messages: list[bytes]) -> None:
        """Fold messages that were judged before this process began; nothing is written."""
        parsed = parse_transactions(messages)
        fold(self.customers, events_of(parsed.frame))

    def judge(self, batch: MicroBatch) -> None:
        """Judge a batch and return when its verdicts and dead letters are acknowledged."""
        with _batch_seconds.time():
            parsed = parse_transactions(batch.rows.column("value").to_pylist())
            self._put_aside(parsed, batch)
            self._publish_verdicts(parsed, batch)
        _customers.set(self.customers.customers)
        _judged_until.set(_column(batch.rows, "timestamp_ms").max() / 1000)

    def _publish_verdicts(self, parsed: Parsed, batch: MicroBatch) -> None:
        events = events_of(parsed.frame)
        folded = fold(self.customers, events)
        fresh = np.flatnonzero(~folded.is_repeat)
        _repeats.inc(len(folded.is_repeat) - len(fresh))
        frame, where = parsed.frame[fresh], parsed.position[fresh]
        seen = Seen(events.amount_eur_cents[fresh], folded.features[fresh])
        held = assess(seen, self.policy)
        decided = Decided(
            assessment=held,
            policy=self.policy,
            features_version=features_version(),
            source_partition=_column(batch.rows, "partition")[where],
            source_offset=_column(batch.rows, "offset")[where],
            decided_at_ms=batch.decided_at_ms,
        )
        produced_at = _column(batch.rows, "timestamp_ms")[where].tolist()
        values = encode_verdicts(frame, decided)
        keys = frame["customer_token"].to_list()
        self.verdicts.publish(list(zip(keys, values, produced_at, strict=True)))
        self._measure(held.level.tolist(), produced_at)

    def _measure(self, levels: list[int], produced_at_ms: list[int]) -> None:
        now_ms = time.time_ns() // 1_000_000
        for level, produced_ms in zip(levels, produced_at_ms, strict=True):
            _verdicts.labels(risk=self.policy.levels[level].risk).inc()
            _event_to_verdict.observe(max(0, now_ms - produced_ms) / 1000)

    def _put_aside(self, parsed: Parsed, batch: MicroBatch) -> None:
        if not parsed.refused:
            return
        partitions, offsets = _column(batch.rows, "partition"), _column(batch.rows, "offset")
        letters = [
            DeadLetter(
                code=refused.code,
                stage=Stage.DETECTOR,
                origin=f"{TRANSACTION_TOPIC}-{partitions[place]}-{offsets[place]}",
                reason=refused.reason,
                payload=batch.rows.column("value")[place].as_py(),
                at_ms=batch.decided_at_ms,
            )
            for place, refused in parsed.refused
        ]
        self.dead_letters.put(letters)
        for letter in letters:
            _dead_letters.labels(stage=letter.stage, code=letter.code).inc()
            log.warning("put aside %s: %s", letter.origin, letter.reason)


def _column(rows: pa.Table, name: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.asarray(rows.column(name).to_numpy(), dtype=np.int64)


def _remember_judged(detector: Detector, settings: DetectorSettings, kafka: KafkaSettings) -> None:
    ends = committed_ends(settings, TRANSACTION_TOPIC)
    began, events = time.monotonic(), 0
    for messages in read_range(kafka, TRANSACTION_TOPIC, ends):
        detector.remember([message.value() or b"" for message in messages])
        events += len(messages)
    seconds = time.monotonic() - began
    log.info(
        "state of %d customers from %d events in %.1f s",
        detector.customers.customers,
        events,
        seconds,
    )


def _warm_up(policy: Policy) -> None:
    """Compile and load everything a batch needs, on a state that is thrown away."""
    frame = parse_transactions([encode(a_transaction())]).frame
    events = events_of(frame)
    seen = Seen(events.amount_eur_cents, fold(CustomerState(), events).features)
    origin = np.zeros(1, dtype=np.int64)
    encode_verdicts(frame, Decided(assess(seen, policy), policy, "", origin, origin, 0))


def main() -> None:
    """Wire the detector and run it until it is stopped or something breaks."""
    configure_logging("detector")
    settings, kafka = DetectorSettings(), KafkaSettings()
    policy = load_policy(settings.policy_path)
    detector = Detector(
        policy,
        KafkaTopic(kafka, FRAUD_TOPIC),
        KafkaDeadLetters(kafka, settings.dead_letter_key_path),
    )
    settings.state_folder.mkdir(parents=True, exist_ok=True)
    session = build_session(settings)
    _remember_judged(detector, settings, kafka)

    query = start_query(session, settings, kafka, TRANSACTION_TOPIC, detector.judge)
    # What exists by now lives as long as the process; collecting it again and again costs p99.
    gc.collect()
    gc.freeze()
    start_http_server(settings.metrics_port, addr="127.0.0.1")
    log.info("judging by policy %s, features %s", policy.version, features_version())
    query.awaitTermination()


if __name__ == "__main__":
    main()
