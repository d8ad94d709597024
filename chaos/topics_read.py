"""Read whole topics back by transaction: log, verdicts, features, dead letters."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

import numpy as np
from confluent_kafka import Message

from chaos.feature_comparison import ServedFeatures
from chaos.findings import VerdictCopies
from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.codecs.log_fold import fold_messages, packed
from fraudwatch.adapters.kafka_log.ends import ends_of
from fraudwatch.adapters.kafka_log.log import read_range
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.views.published import NO_VIEW
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import (
    DEAD_LETTER_TOPIC,
    FEATURE_TOPIC,
    FEATURES_VERSION_HEADER,
    FRAUD_TOPIC,
    TRANSACTION_ID_HEADER,
    TRANSACTION_TOPIC,
)


@dataclass(frozen=True, slots=True)
class _TransactionId:
    """The id of a transaction, without its other fields."""

    transaction_id: str


@dataclass(frozen=True, slots=True)
class _VerdictIds:
    """The ids of a verdict, without its other fields."""

    transaction_id: str
    verdict_id: str
    risk_view: str = NO_VIEW


@dataclass(frozen=True, slots=True)
class Part:
    """Part of the customers, by the key of their messages: features depend on no other customer."""

    number: int
    parts: int

    def has(self, message: Message) -> bool:
        """Whether the message belongs to this part."""
        return crc32(_key_of(message)) % self.parts == self.number


WHOLE: Final = Part(0, 1)
_DECIDED_AT: Final = re.compile(rb'"decided_at_ms":\d+')


@dataclass(frozen=True, slots=True)
class Topics:
    """Reader of whole topics up to their end offsets, for one source or all, or part of it."""

    kafka: KafkaSettings
    source: str | None = None
    part: Part = WHOLE

    def is_ours(self, transaction_id: str) -> bool:
        """Whether the transaction belongs to this reader's source."""
        return self.source is None or transaction_id.startswith(f"{self.source}:")

    def verdicts(self, dead_lettered: set[str], origins: set[str]) -> dict[str, VerdictCopies]:
        """Read the verdicts by transaction.

        Args:
            dead_lettered: Ids of verdicts that the persister dead-lettered are added.
            origins: Origins of the dead letters.
        """
        by_id: defaultdict[str, VerdictCopies] = defaultdict(VerdictCopies)
        for message in self._all(FRAUD_TOPIC, self.part):
            verdict = decode(_VerdictIds, message.value() or b"")
            if not self.is_ours(verdict.transaction_id):
                continue
            one = by_id[verdict.transaction_id]
            one.verdict_ids.add(verdict.verdict_id)
            one.risk_views.add(verdict.risk_view)
            one.copies.add(_digest(message, message.value() or b""))
            one.decisions.add(_digest(message, _DECIDED_AT.sub(b"", message.value() or b"")))
            one.messages += 1
            if _origin(message) in origins:
                dead_lettered.add(verdict.transaction_id)
        return dict(by_id)

    def served(self) -> dict[str, list[ServedFeatures]]:
        """Read the features that each transaction was scored with."""
        by_id: defaultdict[str, list[ServedFeatures]] = defaultdict(list)
        for message in self._all(FEATURE_TOPIC, self.part):
            headers = _headers(message)
            if self.is_ours(name := headers[TRANSACTION_ID_HEADER]):
                version = headers[FEATURES_VERSION_HEADER]
                by_id[name].append(ServedFeatures(version, message.value() or b""))
        return dict(by_id)

    def dead_letter_stages(self) -> dict[str, str]:
        """Read the stage of every dead letter, by its origin."""
        headers = [_headers(message) for message in self._all(DEAD_LETTER_TOPIC, WHOLE)]
        return {one["fraudwatch.origin"]: one["fraudwatch.stage"] for one in headers}

    def folded(
        self, logged: set[str], dead_lettered: set[str], origins: set[str]
    ) -> dict[str, list[bytes]]:
        """Compute features by one fold over the whole log, from an empty state, in offset order.

        Args:
            logged: All transaction ids of the log are added.
            dead_lettered: Ids of transactions that the detector dead-lettered are added.
            origins: Origins of the dead letters.

        Raises:
            RetentionOvertook: the log no longer begins at offset 0.
        """
        customers = CustomerState()
        by_id: defaultdict[str, list[bytes]] = defaultdict(list)
        ends = ends_of(self.kafka, TRANSACTION_TOPIC)
        for read in read_range(self.kafka, TRANSACTION_TOPIC, ends, starts={}):
            messages = [message for message in read if self.part.has(message)]
            if not messages:
                continue
            self._collect_ids(messages, logged, dead_lettered, origins)
            produced_at_ms = np.array([m.timestamp()[1] for m in messages], dtype=np.int64)
            rows = fold_messages(customers, [m.value() or b"" for m in messages], produced_at_ms)
            names = rows.frame["transaction_id"].to_list()
            for name, vector in zip(names, packed(rows.features), strict=True):
                if self.is_ours(name):
                    by_id[name].append(vector)
        return dict(by_id)

    def _collect_ids(
        self,
        messages: Sequence[Message],
        logged: set[str],
        dead_lettered: set[str],
        origins: set[str],
    ) -> None:
        for message in messages:
            try:
                name = decode(_TransactionId, message.value() or b"").transaction_id
            except Refused:
                continue  # it has no id, so it was never acknowledged
            logged.add(name)
            if _origin(message) in origins:
                dead_lettered.add(name)

    def _all(self, topic: str, part: Part) -> Iterator[Message]:
        for messages in self._batches(topic):
            yield from filter(part.has, messages)

    def _batches(self, topic: str) -> Iterator[list[Message]]:
        return read_range(self.kafka, topic, ends_of(self.kafka, topic))


def _key_of(message: Message) -> bytes:
    key = message.key() or b""
    return key.encode() if isinstance(key, str) else key


def _origin(message: Message) -> str:
    return f"{message.topic()}-{message.partition()}-{message.offset()}"


def _digest(message: Message, value: bytes) -> bytes:
    """Hash everything that a consumer gets: key, headers, value."""
    parts = (message.key(), message.headers(), value)
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()


def _headers(message: Message) -> Mapping[str, str]:
    pairs = dict(message.headers() or [])
    return {name: text.decode() for name, text in pairs.items() if isinstance(text, bytes)}
