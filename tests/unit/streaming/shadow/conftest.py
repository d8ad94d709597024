"""A detector over a made-up stream, and topics in memory that the shadow reads."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.lake.spark_stream import MicroBatch
from fraudwatch.adapters.memory.verdict_store import MemoryDeadLetters, MemoryVerdictLog
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.samples import NOON_MS, a_token, a_transaction
from fraudwatch.topics import FEATURES_VERSION_HEADER, TRANSACTION_ID_HEADER
from streaming.detector.scoring import Detector

POLICY_PATH = Path(__file__).parents[4] / "contracts/policies/default.yaml"
POLICY = load_policy(POLICY_PATH)


@dataclass(frozen=True)
class FakeMessage:
    """A message with the interface of the client's."""

    at_offset: int
    payload: bytes
    named: tuple[tuple[str, bytes], ...] = ()

    def offset(self) -> int:
        return self.at_offset

    def value(self) -> bytes:
        return self.payload

    def headers(self) -> list[tuple[str, bytes]]:
        return list(self.named)

    def timestamp(self) -> tuple[int, int]:
        return 1, NOON_MS

    def error(self) -> None:
        return None


@dataclass
class MemoryCursor:
    """Reads a list of messages, in parts of random sizes and sometimes not at all."""

    messages: Sequence[FakeMessage]
    randomness: random.Random
    at: int = 0

    def seek(self, offset: int) -> None:
        self.at = offset

    def offset_at(self, at_ms: int) -> int:
        return 0 if at_ms <= NOON_MS else len(self.messages)

    def read(self, max_messages: int, timeout_seconds: float) -> Any:
        assert timeout_seconds < 1
        size = self.randomness.choice([0, 1, 3, max_messages])
        found = [one for one in self.messages if one.at_offset >= self.at][:size]
        if found:
            self.at = found[-1].at_offset + 1
        return found

    def close(self) -> None:
        self.messages = ()


class NoSnapshots:
    """Accepts states and keeps none."""

    def offer(self, state: CustomerState, ends: dict[int, int]) -> None:
        pass


@dataclass
class Stream:
    """What a detector published for a made-up stream."""

    purchases: list[Transaction]
    written: MemoryVerdictLog = field(default_factory=MemoryVerdictLog)

    def score(self, policy: Policy, models: ActiveModels, batches: Sequence[slice]) -> None:
        detector = Detector(
            lambda _: policy, lambda _: models, self.written, MemoryDeadLetters(), NoSnapshots()
        )
        for number, part in enumerate(batches):
            detector.score(self._batch(number, part))

    def _batch(self, number: int, part: slice) -> MicroBatch:
        offsets = np.arange(len(self.purchases), dtype=np.int64)[part]
        return MicroBatch(
            batch_id=number,
            is_rerun=False,
            decided_at_ms=NOON_MS + 1_000 * number,
            values=[encode(self.purchases[at]) for at in offsets.tolist()],
            partition=np.zeros(len(offsets), dtype=np.int64),
            offset=offsets,
            produced_at_ms=np.full(len(offsets), NOON_MS + 10_000_000, dtype=np.int64),
        )

    def verdicts(self) -> list[FakeMessage]:
        return [FakeMessage(n, one[1]) for n, one in enumerate(self.written.verdicts)]

    def vectors(self) -> list[FakeMessage]:
        rows = zip(self.written.features, self.written.features_versions, strict=True)
        return [
            FakeMessage(
                n,
                packed,
                (
                    (TRANSACTION_ID_HEADER, name.encode()),
                    (FEATURES_VERSION_HEADER, version.encode()),
                ),
            )
            for n, ((_, name, packed), version) in enumerate(rows)
        ]

    def transactions(self) -> list[FakeMessage]:
        return [FakeMessage(n, encode(one)) for n, one in enumerate(self.purchases)]


def _a_stream(count: int = 400, seed: int = 5) -> Stream:
    """Purchases of a few customers: bursts, high amounts, repeats; nothing known of some."""
    chance = random.Random(seed)
    made = [
        a_transaction(
            transaction_id=f"shop:{n}",
            event_at_ms=NOON_MS + n * 7_000,
            customer_token=a_token(chance.choice("abcdefgh")),
            card_token=a_token(chance.choice("abcdefgh")),
            device_token=chance.choice([None, a_token("c"), a_token("d")]),
            amount_minor=(amount := int(chance.lognormvariate(8, 2)) + 1),
            amount_eur_cents=amount,
            category=chance.choice([None, "fuel", "electronics"]),
            item_count=chance.choice([None, 1, 40]),
        )
        for n in range(count)
    ]
    for n in range(20, count, 50):  # a repeat gets no verdict
        made[n] = replace(made[n - 1], event_at_ms=made[n].event_at_ms)
    return Stream(made)


@pytest.fixture
def a_stream() -> Callable[..., Stream]:
    return _a_stream


@pytest.fixture
def policy() -> Policy:
    return POLICY


@pytest.fixture
def policy_path() -> Path:
    return POLICY_PATH


@pytest.fixture
def a_cursor() -> Callable[..., MemoryCursor]:
    return MemoryCursor
