"""Comparisons of a candidate in Cassandra: counts written atomically with their position."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from cassandra.cluster import Session
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.query import BatchStatement, BatchType, PreparedStatement

from fraudwatch.adapters.store.session import KEYSPACE, translate_driver_errors
from fraudwatch.adapters.store.shadow_rows import (
    EXAMPLE_COLUMNS,
    comparison_from,
    counted_from,
    example_from,
    example_values,
    written_at_us,
)
from fraudwatch.application.shadow.comparing import (
    CandidateOutcome,
    ShadowProgress,
    examples_of,
    outcome_of,
)
from fraudwatch.domain.messages.verdict import Outcome, Risk
from fraudwatch.domain.shadow import (
    Compared,
    Comparison,
    ShadowCounted,
    ShadowCounts,
    ShadowExample,
    ShadowPosition,
)
from fraudwatch.topics import TRANSACTION_PARTITIONS

# All comparisons are in one partition.
_BUCKET: Final = "comparisons"
_COMPARISON: Final = "started_at, comparison_id, from_at, started_by, policy_version, model_version"
_POSITION: Final = ", ".join(ShadowPosition._fields)
_COUNTS: Final = ", ".join(ShadowCounts._fields)
_CONCURRENCY: Final = 32


class CassandraShadowReader:
    """``ShadowReader``: every query is one partition, or one row for each purchase."""

    def __init__(self, session: Session) -> None:
        """Prepare the statements.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the tables do not exist yet.
        """
        self._session = session
        partition = "comparison_id = ? AND source_partition = ?"
        self._comparisons = self._select("shadow_comparison", _COMPARISON, "bucket = ? LIMIT ?")
        self._counts = self._select(
            "shadow_count", f"{_POSITION}, day, dimension, value, {_COUNTS}", partition
        )
        self._examples = self._select("shadow_example", EXAMPLE_COLUMNS, partition)
        self._outcome = self._select(
            "shadow_outcome",
            "transaction_id, outcome, risk",
            "comparison_id = ? AND transaction_id = ?",
        )

    def comparisons(self, limit: int) -> Sequence[Comparison]:
        with translate_driver_errors():
            rows = self._session.execute(self._comparisons, (_BUCKET, limit))
            return [comparison_from(row) for row in rows]

    def progress(self, comparison: Comparison) -> ShadowProgress:
        name = comparison.comparison_id
        return ShadowProgress(
            comparison, tuple(self.load(name, part) for part in range(TRANSACTION_PARTITIONS))
        )

    def load(self, comparison_id: str, source_partition: int) -> ShadowCounted:
        """Load the saved counts of a partition; empty when nothing was saved.

        Raises:
            StoreUnavailable: the store does not answer now.
        """
        with translate_driver_errors():
            rows = self._session.execute(self._counts, (comparison_id, source_partition))
            return counted_from(comparison_id, source_partition, rows)

    def examples(self, comparison_id: str) -> Sequence[ShadowExample]:
        keys = [(comparison_id, partition) for partition in range(TRANSACTION_PARTITIONS)]
        found = [example_from(row) for row in self._ask(self._examples, keys)]
        return sorted(found, key=lambda one: (-one.event_at_ms, one.transaction_id))

    def outcomes(
        self, comparison_id: str, transaction_ids: Collection[str]
    ) -> Mapping[str, CandidateOutcome | None]:
        keys = [(comparison_id, name) for name in transaction_ids]
        return {
            row["transaction_id"]: (
                CandidateOutcome(Outcome(row["outcome"]), Risk(row["risk"]))
                if row["outcome"]
                else None
            )
            for row in self._ask(self._outcome, keys)
        }

    def _ask(
        self, statement: PreparedStatement, keys: Sequence[tuple[Any, ...]]
    ) -> Iterable[Mapping[str, Any]]:
        with translate_driver_errors():
            answers = execute_concurrent_with_args(
                self._session, statement, keys, concurrency=_CONCURRENCY
            )
            return [row for answer in answers for row in answer.result_or_exc]

    def _select(self, table: str, columns: str, where: str) -> PreparedStatement:
        with translate_driver_errors():
            statement: PreparedStatement = self._session.prepare(
                f"SELECT {columns} FROM {KEYSPACE}.{table} WHERE {where}"  # noqa: S608  names are ours
            )
        statement.is_idempotent = True
        return statement


class CassandraShadowStore(CassandraShadowReader):
    """``ShadowStore`` too, for the one role that may write.

    The write timestamp of counts and examples is the offset that they reach to, so that of two
    concurrent processes the one further on wins.
    """

    def __init__(self, session: Session) -> None:
        """Prepare the statements.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the tables do not exist yet.
        """
        super().__init__(session)
        key = "comparison_id, source_partition"
        self._begin = self._insert("shadow_comparison", f"bucket, {_COMPARISON}")
        self._insert_position = self._insert("shadow_count", f"{key}, {_POSITION}", timed=True)
        self._insert_row = self._insert(
            "shadow_count", f"{key}, day, dimension, value, {_COUNTS}", timed=True
        )
        self._insert_example = self._insert("shadow_example", EXAMPLE_COLUMNS, timed=True)
        self._insert_outcome = self._insert(
            "shadow_outcome", "comparison_id, transaction_id, outcome, risk"
        )

    def begin(self, comparison: Comparison) -> None:
        values = (
            comparison.started_at_ms,
            comparison.comparison_id,
            comparison.from_at_ms,
            comparison.started_by,
            comparison.policy_version,
            comparison.model_version,
        )
        with translate_driver_errors():
            self._session.execute(self._begin, (_BUCKET, *values))

    def add(self, comparison_id: str, compared: Sequence[Compared]) -> None:
        outcomes = [
            (comparison_id, one.live.transaction_id, *(outcome_of(one) or (None, None)))
            for one in compared
        ]
        examples = [example_values(comparison_id, one) for one in examples_of(compared)]
        with translate_driver_errors():
            for statement, rows in (
                (self._insert_outcome, outcomes),
                (self._insert_example, examples),
            ):
                execute_concurrent_with_args(
                    self._session, statement, rows, concurrency=_CONCURRENCY
                )

    def save(self, counted: ShadowCounted) -> None:
        key = counted.comparison_id, counted.source_partition
        at_us = written_at_us(counted.position.source_offset)
        # Within one partition a batch is one mutation, applied and visible atomically.
        batch = BatchStatement(batch_type=BatchType.UNLOGGED)
        batch.add(self._insert_position, (*key, *counted.position, at_us))
        for row in counted.changed:
            batch.add(self._insert_row, (*key, *row, *counted.rows[row], at_us))
        batch.is_idempotent = True
        with translate_driver_errors():
            self._session.execute(batch)

    def _insert(self, table: str, columns: str, *, timed: bool = False) -> PreparedStatement:
        marks = ", ".join("?" * len(columns.split(", ")))
        with translate_driver_errors():
            statement: PreparedStatement = self._session.prepare(
                f"INSERT INTO {KEYSPACE}.{table} ({columns}) VALUES ({marks})"  # noqa: S608  names are ours
                + (" USING TIMESTAMP ?" if timed else "")
            )
        statement.is_idempotent = True
        return statement
