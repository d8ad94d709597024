"""Whole topics, read back by transaction: what the log holds, and what became of it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from confluent_kafka import Message

from chaos.feature_comparison import Served
from chaos.findings import Judged
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
class _Named:
    """As much of a transaction as is needed to recognise it."""

    transaction_id: str


@dataclass(frozen=True, slots=True)
class _NamedVerdict:
    """The same of a verdict."""

    transaction_id: str
    verdict_id: str
    risk_view: str = NO_VIEW


@dataclass(frozen=True, slots=True)
class Topics:
    """Whole topics as they are now, of one source or of all."""

    kafka: KafkaSettings
    source: str | None = None

    def is_ours(self, transaction_id: str) -> bool:
        """Whether it is looked at."""
        return self.source is None or transaction_id.startswith(f"{self.source}:")

    def judged(self, put_aside: set[str], letters: set[str]) -> dict[str, Judged]:
        """The verdicts by transaction; one that the persister put aside excuses its row."""
        found: defaultdict[str, Judged] = defaultdict(Judged)
        for message in self._all(FRAUD_TOPIC):
            verdict = decode(_NamedVerdict, message.value() or b"")
            if not self.is_ours(verdict.transaction_id):
                continue
            one = found[verdict.transaction_id]
            one.verdict_ids.add(verdict.verdict_id)
            one.risk_views.add(verdict.risk_view)
            one.copies.add(_digest(message))
            one.messages += 1
            if _origin(message) in letters:
                put_aside.add(verdict.transaction_id)
        return dict(found)

    def served(self) -> dict[str, list[Served]]:
        """The features that each transaction was judged by."""
        found: defaultdict[str, list[Served]] = defaultdict(list)
        for message in self._all(FEATURE_TOPIC):
            told = _headers(message)
            if self.is_ours(name := told[TRANSACTION_ID_HEADER]):
                found[name].append(Served(told[FEATURES_VERSION_HEADER], message.value() or b""))
        return dict(found)

    def letters(self) -> dict[str, str]:
        """The stage of every dead letter, by its origin."""
        told = [_headers(message) for message in self._all(DEAD_LETTER_TOPIC)]
        return {one["fraudwatch.origin"]: one["fraudwatch.stage"] for one in told}

    def folded(
        self, logged: set[str], put_aside: set[str], letters: set[str]
    ) -> dict[str, list[bytes]]:
        """The features of one fold over the whole log, from nothing, in offset order."""
        customers = CustomerState()
        found: defaultdict[str, list[bytes]] = defaultdict(list)
        for messages in self._all_at_once(TRANSACTION_TOPIC):
            self._note_names(messages, logged, put_aside, letters)
            produced_at_ms = np.array([m.timestamp()[1] for m in messages], dtype=np.int64)
            rows = fold_messages(customers, [m.value() or b"" for m in messages], produced_at_ms)
            names = rows.frame["transaction_id"].to_list()
            for name, vector in zip(names, packed(rows.features), strict=True):
                if self.is_ours(name):
                    found[name].append(vector)
        return dict(found)

    def _note_names(
        self, messages: Sequence[Message], logged: set[str], put_aside: set[str], letters: set[str]
    ) -> None:
        for message in messages:
            try:
                name = decode(_Named, message.value() or b"").transaction_id
            except Refused:
                continue  # garbage has no name, so nobody was promised anything about it
            logged.add(name)
            if _origin(message) in letters:
                put_aside.add(name)

    def _all(self, topic: str) -> Iterator[Message]:
        for some in self._all_at_once(topic):
            yield from some

    def _all_at_once(self, topic: str) -> Iterator[list[Message]]:
        return read_range(self.kafka, topic, ends_of(self.kafka, topic))


def _origin(message: Message) -> str:
    return f"{message.topic()}-{message.partition()}-{message.offset()}"


def _digest(message: Message) -> bytes:
    """Of everything that a reader of the topic can see."""
    parts = (message.key(), message.headers(), message.value())
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()


def _headers(message: Message) -> Mapping[str, str]:
    pairs = dict(message.headers() or [])
    return {name: text.decode() for name, text in pairs.items() if isinstance(text, bytes)}
