"""Tables of the lake as they were at one moment: Delta keeps versions, and training names them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fraudwatch.lake import DATABASE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True, slots=True)
class PinnedTables:
    """What others write meanwhile changes nothing that is read through this."""

    spark: SparkSession
    versions: Mapping[str, int]

    def frame(self, table: str) -> DataFrame:
        """The table in its pinned version."""
        version = int(self.versions[table])
        return self.spark.sql(
            f"SELECT * FROM {DATABASE}.{table} VERSION AS OF {version}"  # noqa: S608  our own names
        )


def pinned(spark: SparkSession, tables: Iterable[str]) -> PinnedTables:
    """The tables as they are now."""
    return PinnedTables(spark, {table: _version(spark, table) for table in tables})


def _version(spark: SparkSession, table: str) -> int:
    newest = spark.sql(f"DESCRIBE HISTORY {DATABASE}.{table} LIMIT 1")
    return int(newest.collect()[0]["version"])
