"""Contract of stored verdicts for reconciliation: memory twin and real Cassandra."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import pytest

from fraudwatch.adapters.memory.chosen_verdicts import MemoryChosenVerdicts
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.ports import VerdictStore
from fraudwatch.application.reconcile import StoredVerdicts
from fraudwatch.samples import a_verdict

if TYPE_CHECKING:
    from cassandra.cluster import Session

    SessionOf = Callable[[str], Session]


class Stores(NamedTuple):
    writer: VerdictStore
    reader: StoredVerdicts


@pytest.fixture(params=["memory", pytest.param("cassandra", marks=pytest.mark.engines)])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    if request.param == "memory":
        memory = MemoryVerdictStore()
        yield Stores(memory, MemoryChosenVerdicts(memory))
        return
    from fraudwatch.adapters.store.chosen_verdicts import CassandraChosenVerdicts
    from fraudwatch.adapters.store.verdict_store import CassandraVerdictStore

    session_of: SessionOf = request.getfixturevalue("session_of")
    writing, reading = session_of("persister"), session_of("reconciler")
    yield Stores(CassandraVerdictStore(writing), CassandraChosenVerdicts(reading))


def test_a_verdict_is_chosen_by_id_or_position_and_read_back_whole(stores: Stores) -> None:
    source = f"chosen{uuid.uuid4().hex[:8]}"
    given = [
        a_verdict(transaction_id=f"{source}:{number}", source_partition=1, source_offset=number)
        for number in range(60)
    ]
    stores.writer.write(given, [])
    checked: list[tuple[int, int]] = []

    def wanted(name: str, partition: int, offset: int) -> bool:
        if not name.startswith(f"{source}:"):
            return False
        checked.append((partition, offset))
        return name.endswith(":7") or offset < 2

    found = {one.transaction_id: one for one in stores.reader.chosen(wanted)}
    assert found == {given[place].transaction_id: given[place] for place in (0, 1, 7)}
    assert sorted(checked) == [(1, number) for number in range(60)], "each once"


@pytest.mark.engines
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM fraudwatch.verdict_by_transaction WHERE transaction_id = 'x'",
        "SELECT transaction_id FROM fraudwatch.transaction_by_customer LIMIT 1",
    ],
)
def test_the_role_may_read_verdicts_and_nothing_else(session_of: SessionOf, statement: str) -> None:
    from cassandra import Unauthorized

    with pytest.raises(Unauthorized):
        session_of("reconciler").execute(statement)
