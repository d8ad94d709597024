"""Every dead-letter code is produced by the stage that gives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.codecs.log_fold import fold_messages
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.memory.verdict_store import (
    MemoryDeadLetters,
    MemoryTopic,
    MemoryVerdictStore,
)
from fraudwatch.application.intake.admit import FUTURE_TOLERANCE_MS, Edge
from fraudwatch.application.intake.intake import FeedItem, Intake
from fraudwatch.application.intake.message_builders import purchase_builder
from fraudwatch.domain.features.catalogue import TOO_LATE_MS
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.messages.dead_letter import Code, DeadLetter, Refused
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.money import RateTable
from fraudwatch.samples import NOON_MS, a_purchase, a_transaction, a_verdict
from fraudwatch.topics import FRAUD_TOPIC, TRANSACTION_TOPIC
from streaming.persister.entries import read
from streaming.persister.writing import Persister

Put = Callable[[bytes, Path], DeadLetter | Refused]


@dataclass(frozen=True)
class KafkaMessage:
    """Message as the Kafka client returns it."""

    name: str
    payload: bytes

    def topic(self) -> str:
        return self.name

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 7

    def value(self) -> bytes:
        return self.payload


def by_ingest(payload: bytes, folder: Path, *before: Purchase) -> DeadLetter:
    dead_letters = MemoryDeadLetters()
    edge = Edge(TinkVault(folder), RateTable([]))
    try:
        content: Purchase | Refused = decode(Purchase, payload)
    except Refused as why:
        content = why
    intake = Intake(purchase_builder(edge, encode), MemoryTopic(), dead_letters, lambda: NOON_MS)
    intake.submit(before)
    result = intake.submit_feed([FeedItem("feed:7", payload, content)])
    assert (result.accepted, result.repeated) == (0, 0)
    return dead_letters.records["feed:7"]


def by_ingest_after_another(payload: bytes, folder: Path) -> DeadLetter:
    return by_ingest(payload, folder, a_purchase())


def by_detector(payload: bytes, _: Path) -> Refused:
    """Refusal of the detector after a valid transaction of the same customer at noon."""
    messages = [encode(a_transaction(transaction_id="shop:first")), payload]
    folded = fold_messages(CustomerState(), messages, np.full(2, NOON_MS))
    [(place, why)] = folded.refused
    assert place == 1
    return why


def by_persister(topic: str) -> Put:
    def put(payload: bytes, _: Path) -> DeadLetter:
        dead_letters = MemoryDeadLetters()
        entry = read(KafkaMessage(topic, payload))  # type: ignore[arg-type]
        Persister(MemoryVerdictStore(), dead_letters, lambda: NOON_MS).persist([entry])
        return dead_letters.records[f"{topic}-0-7"]

    return put


AHEAD_MS = NOON_MS + FUTURE_TOLERANCE_MS + 1
CASES: list[tuple[Code, Put, bytes]] = [
    (Code.NOT_JSON, by_ingest, b"garbage"),
    (Code.NOT_JSON, by_ingest, b'{"id": "\0"}'),
    (Code.NOT_JSON, by_ingest, b'{"x": ' + b"[" * 10_000),
    (Code.NOT_JSON, by_detector, b'{"schema": NaN}'),
    (Code.NOT_JSON, by_persister(TRANSACTION_TOPIC), b"\xff\x00"),
    (Code.WRONG_SCHEMA, by_ingest, b"{}"),
    (Code.WRONG_SCHEMA, by_detector, b"{}"),
    (Code.WRONG_SCHEMA, by_persister(FRAUD_TOPIC), b"[1]"),
    (Code.OUT_OF_BOUNDS, by_ingest, encode(a_purchase(amount_minor=-1))),
    (Code.OUT_OF_BOUNDS, by_ingest, encode(a_purchase(event_at_ms=0))),
    (Code.OUT_OF_BOUNDS, by_detector, encode(a_transaction(amount_eur_cents=-1))),
    (Code.UNKNOWN_CURRENCY, by_ingest, encode(a_purchase(currency="XXX"))),
    (Code.MISSING_RATE, by_ingest, encode(a_purchase(currency="JOD"))),
    (Code.FUTURE_EVENT, by_ingest, encode(a_purchase(event_at_ms=AHEAD_MS))),
    (Code.FUTURE_EVENT, by_detector, encode(a_transaction(event_at_ms=AHEAD_MS))),
    (Code.TOO_LATE, by_detector, encode(a_transaction(event_at_ms=NOON_MS - TOO_LATE_MS - 1))),
    (Code.OTHER_CONTENT, by_ingest_after_another, encode(a_purchase(amount_minor=1))),
    (Code.ROW_REFUSED, by_persister(FRAUD_TOPIC), encode(a_verdict(transaction_id=""))),
]


@pytest.mark.parametrize(
    ("code", "put", "payload"), CASES, ids=[f"{code}-{n}" for n, (code, _, _) in enumerate(CASES)]
)
def test_a_bad_message_is_dead_lettered_with_its_code(
    tmp_path: Path, code: Code, put: Put, payload: bytes
) -> None:
    aside = put(payload, tmp_path)
    assert aside.code is code
    assert aside.reason
    assert getattr(aside, "payload", payload) == payload


def test_every_code_has_a_case() -> None:
    assert {code for code, _, _ in CASES} == set(Code)
