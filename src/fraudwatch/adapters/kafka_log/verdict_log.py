"""Publish verdicts and feature vectors to ``fraud_topic`` and ``feature_topic``."""

from __future__ import annotations

from fraudwatch.adapters.kafka_log.log import Headers, Outbox
from fraudwatch.application.ports import ScoredBatch
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import (
    FEATURE_TOPIC,
    FEATURES_VERSION_HEADER,
    FRAUD_TOPIC,
    PRODUCED_AT_HEADER,
    TRANSACTION_ID_HEADER,
)


class KafkaVerdictLog:
    """``VerdictLog`` on Kafka, by one producer for both topics."""

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        verdict_topic: str = FRAUD_TOPIC,
        feature_topic: str = FEATURE_TOPIC,
    ) -> None:
        self._verdict_topic, self._feature_topic = verdict_topic, feature_topic
        # The tally deduplicates by the highest offset, so verdicts must stay in order.
        self._outbox = Outbox(settings, in_order=True)

    def append(self, scored: ScoredBatch) -> None:
        put, version = self._outbox.put, scored.features_version.encode()
        for key, name, verdict, features, at_ms in zip(*scored[:-1], strict=True):
            put(self._verdict_topic, key, verdict, [(PRODUCED_AT_HEADER, b"%d" % at_ms)])
            named: Headers = [
                (TRANSACTION_ID_HEADER, name.encode()),
                (FEATURES_VERSION_HEADER, version),
            ]
            put(self._feature_topic, key, features, named)
        self._outbox.wait()
