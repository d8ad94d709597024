from __future__ import annotations

from dataclasses import dataclass

import pytest

from fraudwatch.adapters.json_codec import encode
from fraudwatch.adapters.memory import MemoryDeadLetters, MemoryVerdictStore
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.dead_letter import Code
from fraudwatch.testing import NOON_MS, a_token, a_transaction, a_verdict
from fraudwatch.topics import FRAUD_TOPIC, TRANSACTION_TOPIC
from streaming.persister import Entry, Persister, read


@dataclass(frozen=True)
class Told:
    """A message as the client gives it."""

    topic_name: str
    payload: bytes
    place: int = 0

    def topic(self) -> str:
        return self.topic_name

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.place

    def value(self) -> bytes:
        return self.payload

    def headers(self) -> None:
        return None


def entries(*told: Told) -> list[Entry]:
    return [read(message) for message in told]  # type: ignore[arg-type]


@pytest.fixture
def store() -> MemoryVerdictStore:
    return MemoryVerdictStore()


@pytest.fixture
def letters() -> MemoryDeadLetters:
    return MemoryDeadLetters()


@pytest.fixture
def persister(store: MemoryVerdictStore, letters: MemoryDeadLetters) -> Persister:
    return Persister(store, letters, lambda: NOON_MS)


def test_both_topics_become_rows(persister: Persister, store: MemoryVerdictStore) -> None:
    persister.persist(
        entries(
            Told(FRAUD_TOPIC, encode(a_verdict(transaction_id="shop:1"))),
            Told(TRANSACTION_TOPIC, encode(a_transaction(transaction_id="shop:2"))),
        )
    )
    assert set(store.verdicts) == {"shop:1"}
    assert set(store.transactions) == {(a_token("a"), NOON_MS, "shop:2")}


def test_what_cannot_be_read_is_put_aside_and_the_rest_written(
    persister: Persister, store: MemoryVerdictStore, letters: MemoryDeadLetters
) -> None:
    persister.persist(
        entries(
            Told(FRAUD_TOPIC, b"garbage", 5),
            Told(TRANSACTION_TOPIC, encode(a_transaction()), 6),
        )
    )
    assert list(letters.letters) == ["fraud_topic-0-5"]
    assert len(store.transactions) == 1


def test_a_row_the_store_never_takes_is_isolated(
    persister: Persister, store: MemoryVerdictStore, letters: MemoryDeadLetters
) -> None:
    persister.persist(
        entries(
            Told(FRAUD_TOPIC, encode(a_verdict(transaction_id="")), 1),
            Told(FRAUD_TOPIC, encode(a_verdict(transaction_id="shop:2")), 2),
        )
    )
    assert {o: x.code for o, x in letters.letters.items()} == {"fraud_topic-0-1": Code.ROW_REFUSED}
    assert set(store.verdicts) == {"shop:2"}


def test_a_store_that_is_away_loses_nothing(
    persister: Persister, store: MemoryVerdictStore, letters: MemoryDeadLetters
) -> None:
    batch = entries(Told(FRAUD_TOPIC, encode(a_verdict())), Told(FRAUD_TOPIC, b"garbage", 1))
    store.is_reachable = False
    with pytest.raises(StoreUnavailable):
        persister.persist(batch)
    store.is_reachable = True
    persister.persist(batch)
    assert (len(store.verdicts), len(letters.letters)) == (1, 1)
