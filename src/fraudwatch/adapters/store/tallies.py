"""Tallies in Cassandra: one partition by event day and source partition, written atomically."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from itertools import product
from typing import Any, Final

from cassandra.cluster import Session
from cassandra.query import UNSET_VALUE, BatchStatement, BatchType

from fraudwatch.adapters.store.session import KEYSPACE, translate_driver_errors
from fraudwatch.domain.tally import (
    NOTHING_COUNTED,
    Counted,
    Counts,
    Dimension,
    Key,
    Tally,
    tallies_of,
)
from fraudwatch.topics import TRANSACTION_PARTITIONS

_TABLE: Final = f"{KEYSPACE}.tally_by_day"
_KEY: Final = "day, source_partition"
_COUNTS: Final = ", ".join(Counts._fields)


class CassandraTallies:
    """``TallyReader`` that queries all partitions of a day concurrently."""

    def __init__(self, session: Session) -> None:
        """Prepare the statement.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the table does not exist yet.
        """
        self._session = session
        with translate_driver_errors():
            self._select = session.prepare(
                f"SELECT counted_until, dimension, value, {_COUNTS} "  # noqa: S608  names are ours
                f"FROM {_TABLE} WHERE day = ? AND source_partition = ?"
            )
        self._select.is_idempotent = True

    def tallies(self, days: Collection[date]) -> Sequence[Tally]:
        names = sorted({day.isoformat() for day in days})
        return tallies_of(self._saved(product(names, range(TRANSACTION_PARTITIONS))))

    def _saved(self, keys: Iterable[tuple[str, int]]) -> list[Counted]:
        with translate_driver_errors():
            futures = [(key, self._session.execute_async(self._select, key)) for key in keys]
            return [_counted(key, answer.result()) for key, answer in futures]


class CassandraTallyStore(CassandraTallies):
    """``TallyStore`` too, for the one role that may write.

    The write timestamp is how far was counted: the offset, after those of earlier topics. Counting
    that far always gives the same result, so of two concurrent processes the one further on wins.
    """

    def __init__(self, session: Session) -> None:
        """Prepare the statements.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the table does not exist yet.
        """
        super().__init__(session)
        columns = f"{_KEY}, dimension, value, {_COUNTS}"
        marks = ", ".join("?" * len(columns.split(", ")))
        with translate_driver_errors():
            self._insert_row = session.prepare(
                f"INSERT INTO {_TABLE} ({columns}) "  # noqa: S608  names are ours
                f"VALUES ({marks}) USING TIMESTAMP ?"
            )
            self._insert_until = session.prepare(
                f"INSERT INTO {_TABLE} ({_KEY}, counted_until) "  # noqa: S608  names are ours
                "VALUES (?, ?, ?) USING TIMESTAMP ?"
            )

    def load(self, day: str, source_partition: int) -> Counted:
        (saved,) = self._saved([(day, source_partition)])
        return saved

    def save(self, counted: Counted) -> None:
        key, until = (counted.day, counted.source_partition), counted.until
        written_at_us = counted.progress  # above zero, because zero means "no timestamp"
        # Within one partition a batch is one mutation, applied and visible atomically.
        batch = BatchStatement(batch_type=BatchType.UNLOGGED)
        batch.add(self._insert_until, (*key, until, written_at_us))
        for row in counted.changed:
            batch.add(self._insert_row, (*key, *_row(row, counted.rows[row]), written_at_us))
        batch.is_idempotent = True
        with translate_driver_errors():
            self._session.execute(batch)


def _row(key: Key, counts: Counts) -> tuple[Any, ...]:
    # Counts never return to zero, so a zero needs no cell: most purchases are no alert.
    return (str(key[0]), key[1], *(count or UNSET_VALUE for count in counts))


def _counted(partition: tuple[str, int], rows: Iterable[Mapping[str, Any]]) -> Counted:
    until, found = NOTHING_COUNTED, dict[Key, Counts]()
    for row in rows:
        if row["counted_until"] is not None:
            until = max(until, row["counted_until"])
        if row["dimension"] is not None:  # else the partition has only its static column
            key = Dimension(row["dimension"]), row["value"]
            found[key] = Counts._make(row[name] or 0 for name in Counts._fields)
    return Counted(*partition, until, found)
