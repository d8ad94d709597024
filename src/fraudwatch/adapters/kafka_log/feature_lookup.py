"""Find the feature vector of one verdict on ``feature_topic``, by its time and partition."""

from __future__ import annotations

import math
import struct
import threading
import time
from collections.abc import Mapping
from typing import Final

from confluent_kafka import OFFSET_END, Consumer, KafkaException, Message
from confluent_kafka import TopicPartition as ClientPartition

from fraudwatch.adapters.kafka_log.log import client_config
from fraudwatch.application.alert_stream import LogUnavailable
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.version import features_version
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import FEATURE_TOPIC, FEATURES_VERSION_HEADER, TRANSACTION_ID_HEADER

# The vectors of a micro-batch follow its time; the largest has 50,000.
MAX_MESSAGES: Final = 60_000
MAX_SECONDS: Final = 3.0
_MESSAGES_AT_ONCE: Final = 500
_POLL_SECONDS: Final = 0.2
_VECTOR: Final = struct.Struct(f"<{len(VECTOR_FEATURES)}d")
_SMALL_QUEUE: Final = {"queued.max.messages.kbytes": "4096"}


class KafkaFeatureLookup:
    """Reads forward from the time of a verdict; one lookup at a time."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._consumer: Consumer | None = None

    def features_of(self, verdict: Verdict) -> Mapping[str, float | None] | None:
        """Return the features of a verdict by name; None: gone, not found in time, or of others.

        Unknown features are None. A vector of another features version has other names.

        Raises:
            LogUnavailable: the broker does not answer.
        """
        if verdict.features_version != features_version():
            return None
        with self._lock:
            try:
                value = self._find(verdict)
            except KafkaException as error:
                raise LogUnavailable(f"{FEATURE_TOPIC} cannot be read ({error})") from error
        return None if value is None else _by_name(value)

    def _find(self, verdict: Verdict) -> bytes | None:
        consumer = self._opened()
        # Both topics have the key and the partitioner of transaction_topic.
        partition, wanted = verdict.source_partition, verdict.transaction_id.encode()
        since = ClientPartition(FEATURE_TOPIC, partition, verdict.decided_at_ms)
        (start,) = consumer.offsets_for_times([since], timeout=MAX_SECONDS)
        if start.offset in (OFFSET_END, -1):
            return None
        consumer.assign([start])
        try:
            return self._read_until(consumer, wanted)
        finally:
            consumer.unassign()

    def _read_until(self, consumer: Consumer, wanted: bytes) -> bytes | None:
        deadline, read = time.monotonic() + MAX_SECONDS, 0
        while read < MAX_MESSAGES and time.monotonic() < deadline:
            for message in consumer.consume(_MESSAGES_AT_ONCE, timeout=_POLL_SECONDS):
                read += 1
                if message.error() is None and _header(message, TRANSACTION_ID_HEADER) == wanted:
                    is_ours = _header(message, FEATURES_VERSION_HEADER) == _version()
                    return message.value() if is_ours else None
        return None

    def _opened(self) -> Consumer:
        if self._consumer is None:
            self._consumer = Consumer(
                client_config(self._settings)
                | _SMALL_QUEUE
                | {
                    "group.id": f"{self._settings.username}-features",
                    "enable.auto.commit": False,
                    "enable.auto.offset.store": False,
                    "auto.offset.reset": "latest",
                }
            )
        return self._consumer


def _version() -> bytes:
    return features_version().encode()


def _header(message: Message, name: str) -> bytes | str | None:
    return dict(message.headers() or []).get(name)


def _by_name(value: bytes) -> Mapping[str, float | None] | None:
    if len(value) != _VECTOR.size:
        return None
    names = (feature.name for feature in VECTOR_FEATURES)
    return {
        name: None if math.isnan(number) else number
        for name, number in zip(names, _VECTOR.unpack(value), strict=True)
    }
