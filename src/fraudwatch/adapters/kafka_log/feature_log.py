"""Read served feature vectors from ``feature_topic`` for training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from fraudwatch.adapters.kafka_log.ends import ends_of
from fraudwatch.adapters.kafka_log.log import read_range
from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import FEATURE_TOPIC, FEATURES_VERSION_HEADER

_VECTOR_BYTES: Final = len(VECTOR_FEATURES) * 8


class Stored(NamedTuple):
    """Message of ``feature_topic``."""

    vector: bytes
    features_version: str
    served_at_ms: int


class Vectors(NamedTuple):
    """Vectors in log order, and the number of skipped messages between them."""

    features: Float64s  # [row, SERVED]
    served_at_ms: Int64s
    skipped: int  # of another version of the features


def read_vectors(kafka: KafkaSettings, features_version: str) -> Iterator[Vectors]:
    """Yield every vector of this features version that is on the topic now.

    A transaction that was scored again after a crash may come twice.
    """
    for messages in read_range(kafka, FEATURE_TOPIC, ends_of(kafka, FEATURE_TOPIC)):
        stored = []
        for message in messages:
            header = dict(message.headers() or []).get(FEATURES_VERSION_HEADER) or b""
            version = header.decode(errors="replace") if isinstance(header, bytes) else header
            stored.append(Stored(message.value() or b"", version, message.timestamp()[1]))
        yield vectors_of(stored, features_version)


def vectors_of(stored: Sequence[Stored], features_version: str) -> Vectors:
    """Stack the vectors of this version into one array."""
    ours = [
        one
        for one in stored
        if one.features_version == features_version and len(one.vector) == _VECTOR_BYTES
    ]
    flat = np.frombuffer(b"".join(one.vector for one in ours), dtype="<f8")
    return Vectors(
        features=flat.astype(np.float64).reshape(-1, len(VECTOR_FEATURES)),
        served_at_ms=np.array([one.served_at_ms for one in ours], dtype=np.int64),
        skipped=len(stored) - len(ours),
    )
