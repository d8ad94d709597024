"""Many statements to Cassandra at once: a bounded number under way, the first failure stops."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cassandra import InvalidRequest
from cassandra.cluster import Session
from cassandra.query import BatchStatement, BatchType, BoundStatement

from fraudwatch.adapters.store.session import KEYSPACE, blames_the_schema

# Measured: 128 in flight 3.8 k rows/s, 256 5.5 k; more only lengthens the queue.
MOST_IN_FLIGHT = 256
# Rows share a request if the same nodes keep them: see docs/adr/0007. Cassandra itself complains of
# more than ten partitions in a batch.
MOST_ROWS_IN_BATCH = 20
MOST_PARTITIONS_IN_BATCH = 10


@dataclass(frozen=True, slots=True)
class Row:
    """A bound row, where it will lie, and the message that is to blame if it is refused."""

    message: Any
    partition: Hashable
    statement: BoundStatement


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that Cassandra calls invalid."""

    message: Any
    error: InvalidRequest


def send(session: Session, rows: Iterable[Row]) -> list[RefusedRow]:
    """Return when every row is durable but those that Cassandra calls invalid, which come back.

    It waits for no longer than the session's time-out for each :data:`MOST_IN_FLIGHT` statements,
    and gives up at the first that fails: a store that hangs costs one time-out.

    Raises:
        Whatever the driver says of a statement that did not succeed; others may be durable.
    """
    parcels = list(_parcels(session, rows))
    invalid = _send(session, parcels)
    alone = [(row,) for parcel, _ in invalid if len(parcel) > 1 for row in parcel]
    # One invalid row spoils its batch: sent again one by one, it is found.
    invalid = [found for found in invalid if len(found[0]) == 1] + _send(session, alone)
    return [RefusedRow(parcel[0].message, error) for parcel, error in invalid]


Parcel = Sequence[Row]


def _parcels(session: Session, rows: Iterable[Row]) -> Iterator[Parcel]:
    """Rows as they travel: those of a partition together, a few partitions of the same nodes."""
    by_partition: dict[Hashable, list[Row]] = {}
    for row in rows:
        by_partition.setdefault(row.partition, []).append(row)
    nodes_of = _nodes(session)
    begun: dict[Hashable, _Begun] = {}
    for members in by_partition.values():
        nodes = nodes_of(members[0].statement)
        for start in range(0, len(members), MOST_ROWS_IN_BATCH):
            some = members[start : start + MOST_ROWS_IN_BATCH]
            parcel = begun.setdefault(nodes, _Begun())
            if not parcel.has_room_for(some):
                yield parcel.rows
                parcel = begun[nodes] = _Begun()
            parcel.add(some)
    yield from (parcel.rows for parcel in begun.values())


@dataclass(slots=True)
class _Begun:
    """A parcel that may take more."""

    rows: list[Row] = field(default_factory=list)
    partitions: int = 0

    def has_room_for(self, some: Sequence[Row]) -> bool:
        return (
            self.partitions < MOST_PARTITIONS_IN_BATCH
            and len(self.rows) + len(some) <= MOST_ROWS_IN_BATCH
        )

    def add(self, some: Sequence[Row]) -> None:
        self.rows.extend(some)
        self.partitions += 1


def _nodes(session: Session) -> Callable[[BoundStatement], Hashable]:
    """Which nodes keep a row; a single node keeps them all."""
    metadata: Any = session.cluster.metadata  # type: ignore[has-type]  # the driver is untyped
    if len(metadata.all_hosts()) == 1:
        return lambda _: None
    return lambda row: tuple(metadata.get_replicas(KEYSPACE, row.routing_key))


def _send(session: Session, parcels: Iterable[Parcel]) -> list[tuple[Parcel, InvalidRequest]]:
    flight = _Flight(session)
    for parcel in parcels:
        flight.start(parcel)
    flight.land()
    return flight.invalid


class _Flight:
    """A semaphore and callbacks: a fifth less work than the driver's ``execute_concurrent``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._free = threading.Semaphore(MOST_IN_FLIGHT)
        self._failure: Exception | None = None
        self.invalid: list[tuple[Parcel, InvalidRequest]] = []

    def start(self, parcel: Parcel) -> None:
        self._wait_for_one()
        future = self._session.execute_async(_statement(parcel))
        future.add_callbacks(self._on_success, self._on_error, errback_args=(parcel,))

    def land(self) -> None:
        for _ in range(MOST_IN_FLIGHT):
            self._wait_for_one()

    def _wait_for_one(self) -> None:
        self._free.acquire()
        if self._failure is not None:
            raise self._failure

    def _on_success(self, _: Any) -> None:
        self._free.release()

    def _on_error(self, error: Exception, parcel: Parcel) -> None:
        if isinstance(error, InvalidRequest) and not blames_the_schema(error):
            self.invalid.append((parcel, error))
        else:
            self._failure = error
        self._free.release()


def _statement(parcel: Parcel) -> BoundStatement | BatchStatement:
    if len(parcel) == 1:
        return parcel[0].statement
    # Unlogged: half of it may be applied when it fails, and then all of it is sent again.
    batch = BatchStatement(batch_type=BatchType.UNLOGGED)
    for row in parcel:
        batch.add(row.statement)
    batch.is_idempotent = True
    return batch
