"""Proof that an archived topic has every offset once, without reading the whole archive each hour.

How far each partition was proven whole is kept as a property of its table, and only what lies
behind is counted. What retention takes away later lies before, and is no gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Final

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

_PROPERTY: Final = "fraudwatch.whole_until."


class GapFound(LookupError):
    """The archive lacks offsets, or has some twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What the archive holds of one partition from some offset on."""

    first: int
    end: int  # the first offset that is not there
    rows: int
    offsets: int  # how many different ones
    from_ms: int
    until_ms: int


def proven_ends(spark: SparkSession, table: str) -> dict[int, int]:
    """By partition, where the part ends that was proven whole."""
    rows = spark.sql(f"SHOW TBLPROPERTIES {table}").collect()
    return {
        int(row["key"].removeprefix(_PROPERTY)): int(row["value"])
        for row in rows
        if row["key"].startswith(_PROPERTY)
    }


def keep_proven_ends(spark: SparkSession, table: str, ends: Mapping[int, int]) -> None:
    """Remember how far each partition was proven whole."""
    if ends and proven_ends(spark, table) != ends:
        told = ", ".join(f"'{_PROPERTY}{partition}' = '{end}'" for partition, end in ends.items())
        spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ({told})")


def spans_of(raw: DataFrame, starts: Mapping[int, int]) -> dict[int, Span]:
    """What lies at and behind these offsets; of a partition that has none, everything."""
    spans = (
        raw.where(_at_or_behind(starts))
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
    found = [row.asDict() for row in spans.collect()]
    return {one.pop("source_partition"): Span(**one) for one in found}


def _at_or_behind(starts: Mapping[int, int]) -> Column:
    partition, offset = F.col("source_partition"), F.col("source_offset")
    unknown = ~partition.isin(list(starts)) if starts else F.lit(col=True)
    known = ((partition == number) & (offset >= start) for number, start in starts.items())
    return reduce(Column.__or__, known, unknown)


def ends_of_spans(starts: Mapping[int, int], spans: Mapping[int, Span]) -> dict[int, int]:
    """Where each partition ends in the archive."""
    return {**starts, **{partition: span.end for partition, span in spans.items()}}


def prove_whole(topic: str, spans: Mapping[int, Span], starts: Mapping[int, int]) -> None:
    """Every span begins where it should and has each offset once.

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
            f"{'; '.join(broken)}: the archive is not the log, so nothing behind was taken as "
            "proven and the next run finds it again; delete the partition's rows from the first "
            f"wrong offset on, remove the checkpoint of {topic}, and archive again while the topic "
            "still holds them"
        )


def _why_broken(span: Span, start: int) -> str | None:
    if span.first != start:
        return f"was to go on at offset {start} and goes on at {span.first}"
    if span.offsets != span.end - span.first:
        missing = span.end - span.first - span.offsets
        return f"lacks {missing} of the offsets {span.first} to {span.end - 1}"
    if span.rows != span.offsets:
        twice = span.rows - span.offsets
        return f"has {twice} rows too many among the offsets {span.first} to {span.end - 1}"
    return None
