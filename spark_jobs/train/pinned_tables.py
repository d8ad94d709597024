"""Read lake tables at pinned Delta versions, which a training records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fraudwatch.lake import DATABASE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True, slots=True)
class PinnedTables:
    """Snapshot of tables: concurrent writes are not visible through it."""

    spark: SparkSession
    versions: Mapping[str, int]

    def frame(self, table: str) -> DataFrame:
        """Read the table at its pinned version."""
        version = int(self.versions[table])
        return self.spark.sql(
            f"SELECT * FROM {DATABASE}.{table} VERSION AS OF {version}"  # noqa: S608  our own names
        )


def pinned(spark: SparkSession, tables: Iterable[str]) -> PinnedTables:
    """Pin the tables at their current versions."""
    return PinnedTables(spark, {table: _version(spark, table) for table in tables})


def _version(spark: SparkSession, table: str) -> int:
    newest = spark.sql(f"DESCRIBE HISTORY {DATABASE}.{table} LIMIT 1")
    return int(newest.collect()[0]["version"])
