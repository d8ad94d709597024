"""Check that an archived topic has every offset once, without reading the whole archive each hour.

The offset up to which each partition is known to be complete is stored as a table property, and
only later offsets are counted. Rows that retention deletes are before it, and are no gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Final

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.adapters.lake.archive_table import TOPIC_ID, archived_topic_id

_PROPERTY: Final = "fraudwatch.whole_until."


class GapFound(LookupError):
    """The archive lacks offsets, or has some twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Range of one partition in the archive, from some offset on."""

    first: int
    end: int  # the first offset after the last
    rows: int
    offsets: int  # number of distinct ones
    from_ms: int
    until_ms: int


def proven_ends(spark: SparkSession, table: str) -> dict[int, int]:
    """Read by partition the offset up to which it was found complete."""
    rows = spark.sql(f"SHOW TBLPROPERTIES {table}").collect()
    return {
        int(row["key"].removeprefix(_PROPERTY)): int(row["value"])
        for row in rows
        if row["key"].startswith(_PROPERTY)
    }


def save_proven_ends(spark: SparkSession, table: str, ends: Mapping[int, int]) -> None:
    """Store by partition the offset up to which it was found complete."""
    if ends and proven_ends(spark, table) != ends:
        pairs = ", ".join(f"'{_PROPERTY}{partition}' = '{end}'" for partition, end in ends.items())
        spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ({pairs})")


def save_topic_id(spark: SparkSession, table: str, topic_id: str) -> None:
    """Store the id of the topic that the table holds, if none is stored yet."""
    if archived_topic_id(spark, table) is None:
        spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ('{TOPIC_ID}' = '{topic_id}')")


def spans_of(raw: DataFrame, starts: Mapping[int, int]) -> dict[int, Span]:
    """Measure each partition from its start offset on; from its beginning where it has none."""
    spans = (
        raw.where(_at_or_after(starts))
        .groupBy("source_partition")
        .agg(
            F.min("source_offset").alias("first"),
            (F.max("source_offset") + 1).alias("end"),
            F.count("*").alias("rows"),
            F.countDistinct("source_offset").alias("offsets"),
            F.min(F.unix_millis("produced_at")).alias("from_ms"),
            (F.max(F.unix_millis("produced_at")) + 1).alias("until_ms"),
        )
    )
    rows = [row.asDict() for row in spans.collect()]
    return {one.pop("source_partition"): Span(**one) for one in rows}


def _at_or_after(starts: Mapping[int, int]) -> Column:
    partition, offset = F.col("source_partition"), F.col("source_offset")
    unknown = ~partition.isin(list(starts)) if starts else F.lit(col=True)
    known = ((partition == number) & (offset >= start) for number, start in starts.items())
    return reduce(Column.__or__, known, unknown)


def ends_of_spans(starts: Mapping[int, int], spans: Mapping[int, Span]) -> dict[int, int]:
    """Return each partition's end offset in the archive."""
    return {**starts, **{partition: span.end for partition, span in spans.items()}}


def check_complete(topic: str, spans: Mapping[int, Span], starts: Mapping[int, int]) -> None:
    """Check that every span begins at its start and has each offset once.

    Raises:
        GapFound: one does not; the text names partition and offsets.
    """
    broken = [
        f"{topic}-{partition} {why}"
        for partition, span in sorted(spans.items())
        if (why := _why_broken(span, starts.get(partition, span.first)))
    ]
    if broken:
        raise GapFound(
            f"{'; '.join(broken)}: the archive differs from the log, so later offsets do not count "
            "as complete and the next run reports it again; delete the partition's rows from the "
            f"first wrong offset on, remove the checkpoint of {topic}, and archive again while the "
            "topic still holds them"
        )


def _why_broken(span: Span, start: int) -> str | None:
    if span.first != start:
        return f"should continue at offset {start} and continues at {span.first}"
    if span.offsets != span.end - span.first:
        missing = span.end - span.first - span.offsets
        return f"lacks {missing} of the offsets {span.first} to {span.end - 1}"
    if span.rows != span.offsets:
        twice = span.rows - span.offsets
        return f"has {twice} rows too many among the offsets {span.first} to {span.end - 1}"
    return None
