"""Tallies in Cassandra: one partition an event day and source partition, written whole or not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from itertools import product
from typing import Any, Final

from cassandra.cluster import Session
from cassandra.query import UNSET_VALUE, BatchStatement, BatchType

from fraudwatch.adapters.store.session import KEYSPACE, driver_errors_translated
from fraudwatch.domain.tally import (
    Counted,
    Counts,
    Dimension,
    Key,
    Tally,
    tallies_of,
)
from fraudwatch.topics import TRANSACTION_PARTITIONS

_TABLE: Final = f"{KEYSPACE}.tally_by_day"
_PLACE: Final = "day, source_partition"
_COUNTS: Final = ", ".join(Counts._fields)


class CassandraTallies:
    """A ``TallyReader``; the one query is a day's partitions, all asked for at once."""

    def __init__(self, session: Session) -> None:
        """Prepare the statement.

        Raises:
            StoreUnavailable: nobody answers, or the table is not there yet.
        """
        self._session = session
        with driver_errors_translated():
            self._select = session.prepare(
                f"SELECT counted_until, dimension, value, {_COUNTS} "  # noqa: S608  names are ours
                f"FROM {_TABLE} WHERE day = ? AND source_partition = ?"
            )
        self._select.is_idempotent = True

    def tallies(self, days: Collection[date]) -> Sequence[Tally]:
        """See :class:`fraudwatch.application.console.casework.TallyReader`."""
        names = sorted({day.isoformat() for day in days})
        return tallies_of(self._saved(product(names, range(TRANSACTION_PARTITIONS))))

    def _saved(self, places: Iterable[tuple[str, int]]) -> list[Counted]:
        with driver_errors_translated():
            asked = [(place, self._session.execute_async(self._select, place)) for place in places]
            return [_counted(place, answer.result()) for place, answer in asked]


class CassandraTallyStore(CassandraTallies):
    """A ``TallyStore`` as well, for the one role that may write.

    Every write carries the offset that was counted up to as its timestamp. Whoever counted as far
    counted the same, so of two processes, one of them believed dead, the one further on stands.
    """

    def __init__(self, session: Session) -> None:
        """Prepare the statements.

        Raises:
            StoreUnavailable: nobody answers, or the table is not there yet.
        """
        super().__init__(session)
        columns = f"{_PLACE}, dimension, value, {_COUNTS}"
        marks = ", ".join("?" * len(columns.split(", ")))
        with driver_errors_translated():
            self._insert_row = session.prepare(
                f"INSERT INTO {_TABLE} ({columns}) "  # noqa: S608  names are ours
                f"VALUES ({marks}) USING TIMESTAMP ?"
            )
            self._insert_until = session.prepare(
                f"INSERT INTO {_TABLE} ({_PLACE}, counted_until) "  # noqa: S608  names are ours
                "VALUES (?, ?, ?) USING TIMESTAMP ?"
            )

    def load(self, day: str, source_partition: int) -> Counted:
        """See :class:`fraudwatch.application.console.tallying.TallyStore`."""
        (saved,) = self._saved([(day, source_partition)])
        return saved

    def save(self, counted: Counted) -> None:
        """See :class:`fraudwatch.application.console.tallying.TallyStore`."""
        place, until = (counted.day, counted.source_partition), counted.until
        written_at_us = until + 1  # above zero, so that it is never taken for "none given"
        # Of one partition: one mutation, so it is applied whole and never seen by half.
        batch = BatchStatement(batch_type=BatchType.UNLOGGED)
        batch.add(self._insert_until, (*place, until, written_at_us))
        for key in counted.changed:
            batch.add(self._insert_row, (*place, *_row(key, counted.rows[key]), written_at_us))
        batch.is_idempotent = True
        with driver_errors_translated():
            self._session.execute(batch)


def _row(key: Key, counts: Counts) -> tuple[Any, ...]:
    # Counts never go back to zero, so a zero needs no cell: most purchases are no alert.
    return (str(key[0]), key[1], *(count or UNSET_VALUE for count in counts))


def _counted(place: tuple[str, int], rows: Iterable[Mapping[str, Any]]) -> Counted:
    counted = Counted(*place)
    for row in rows:
        if row["counted_until"] is not None:
            counted.until = max(counted.until, row["counted_until"])
        if row["dimension"] is not None:  # else the partition has nothing but its static column
            key = Dimension(row["dimension"]), row["value"]
            counted.rows[key] = Counts._make(row[name] or 0 for name in Counts._fields)
    return counted
