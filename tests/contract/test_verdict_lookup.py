"""Contract of looking up verdicts for repeated purchases: memory twin and real Cassandra."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import pytest

from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.ports import StoreUnavailable, VerdictLookup, VerdictStore
from fraudwatch.samples import a_verdict

if TYPE_CHECKING:
    from cassandra.cluster import Session

    SessionOf = Callable[[str], Session]


class Stores(NamedTuple):
    writer: VerdictStore
    reader: VerdictLookup


@pytest.fixture(params=["memory", pytest.param("cassandra", marks=pytest.mark.engines)])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    if request.param == "memory":
        memory = MemoryVerdictStore()
        yield Stores(memory, memory)
        return
    from fraudwatch.adapters.store.verdict_lookup import CassandraVerdictLookup
    from fraudwatch.adapters.store.verdict_store import CassandraVerdictStore

    session_of: SessionOf = request.getfixturevalue("session_of")
    lookup = CassandraVerdictLookup(lambda: session_of("ingest"))
    lookup.open()
    yield Stores(CassandraVerdictStore(session_of("persister")), lookup)


def test_stored_verdicts_are_found_whole_and_others_are_missing(stores: Stores) -> None:
    source = f"lookup{uuid.uuid4().hex[:8]}"
    given = [a_verdict(transaction_id=f"{source}:{n}", content_hash=f"{n}") for n in range(50)]
    stores.writer.write(given, [])
    wanted = [*(one.transaction_id for one in given), f"{source}:none", f"{source}:0"]
    assert stores.reader.verdicts_of(wanted) == {one.transaction_id: one for one in given}
    assert stores.reader.verdicts_of([]) == {}


def test_a_store_that_does_not_answer_is_unavailable_at_once() -> None:
    from fraudwatch.adapters.store.verdict_lookup import CassandraVerdictLookup

    def refuse() -> Session:
        raise StoreUnavailable("it does not answer")

    lookup = CassandraVerdictLookup(refuse)
    with pytest.raises(StoreUnavailable):
        lookup.open()
    with pytest.raises(StoreUnavailable):
        lookup.verdicts_of(["shop:1"])


@pytest.mark.engines
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM fraudwatch.verdict_by_transaction WHERE transaction_id = 'x'",
        "SELECT transaction_id FROM fraudwatch.transaction_by_customer LIMIT 1",
        "SELECT transaction_id FROM fraudwatch.alert_by_hour LIMIT 1",
    ],
)
def test_ingest_may_read_verdicts_and_nothing_else(session_of: SessionOf, statement: str) -> None:
    from cassandra import Unauthorized

    with pytest.raises(Unauthorized):
        session_of("ingest").execute(statement)
