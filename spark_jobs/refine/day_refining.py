"""Refine a day's extract into the core layer: purchases that the log lacks, and rejected lines.

Everything is checked against the manifest before anything is written, and each table changes by one
commit: concurrent readers see the old or the new day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from pyspark import StorageLevel
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession

from fraudwatch.adapters.lake.commit import commit
from fraudwatch.adapters.lake.core_rows import (
    FROM_EXTRACT,
    core_transactions,
    merge,
    transactions_of_the_day,
)
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.domain.lake.day_extract import ExtractManifest
from fraudwatch.lake import CORE_REJECTED_PURCHASES, DATABASE, extract_folder
from fraudwatch.settings import LakeSettings
from spark_jobs.refine.extract_reading import (
    ExtractUnusable,
    interval_of,
    read_lines,
    read_rejected,
)
from spark_jobs.refine.lake_messages import transactions_of
from spark_jobs.refine.topic_refining import count_parsed, with_repeats

_REJECTED_TABLE: Final = f"{DATABASE}.{CORE_REJECTED_PURCHASES}"


def refine_extract(
    spark: SparkSession, lake: LakeSettings, manifest: ExtractManifest
) -> CountedRows:
    """Refine the day into the core layer; idempotent.

    Raises:
        ExtractUnusable: files are missing or do not match the manifest; nothing was written.
        LakeBusy: concurrent writers of the same day kept winning.
    """
    day = date.fromisoformat(manifest.day)
    try:
        parsed = transactions_of(read_lines(spark, lake, manifest))
        rejected = read_rejected(spark, lake, manifest)
    except AnalysisException as error:
        raise ExtractUnusable(
            f"a file that the manifest in {extract_folder(day)} names is missing, so nothing was "
            f"written; extract {day} again"
        ) from error
    parsed = parsed.persist(StorageLevel.DISK_ONLY)
    try:
        counted = count_parsed(parsed, "event_at_ms")
        _check(manifest, counted, rejected)
        rows = core_transactions(parsed, FROM_EXTRACT)
        changed = merge(rows, transactions_of_the_day(day), counted)
        _replace_rejected(rejected, day)
    finally:
        parsed.unpersist()
    from_ms, until_ms = interval_of(day)
    done = with_repeats(counted, changed.inserted + changed.updated)
    return CountedRows(
        rows_in=done.rows_in,
        rows_out=done.rows_out,
        rejected=done.rejected,
        from_ms=from_ms,
        until_ms=until_ms,
    )


def _check(manifest: ExtractManifest, counted: CountedRows, rejected: DataFrame) -> None:
    refused: Mapping[str, int] = {
        row["code"]: row["count"] for row in rejected.groupBy("code").count().collect()
    }
    expected = {code: rows for code, rows in manifest.rejected.items() if rows}
    from_ms, until_ms = interval_of(date.fromisoformat(manifest.day))
    inside = counted.from_ms is None or (
        counted.from_ms >= from_ms and (counted.until_ms or 0) <= until_ms
    )
    broken = [
        why
        for why, is_so in (
            (f"holds {counted.rows_in} lines, not {manifest.accepted}",
             counted.rows_in != manifest.accepted),
            (f"has lines that are no valid message ({dict(counted.rejected)})",
             bool(counted.rejected)),
            (f"rejected {dict(refused)}, not {expected}", refused != expected),
            ("has purchases of another day", not inside),
        )
        if is_so
    ]  # fmt: skip
    if broken:
        raise ExtractUnusable(
            f"the extract of {manifest.day} {'; it '.join(broken)}: it differs from its manifest, "
            f"so nothing was written; extract {manifest.day} again"
        )


def _replace_rejected(rejected: DataFrame, day: date) -> None:
    commit(
        lambda: (
            rejected.write.format("delta")
            .mode("overwrite")
            .option("replaceWhere", f"event_on = DATE'{day}'")
            .saveAsTable(_REJECTED_TABLE)
        ),
        _REJECTED_TABLE,
    )
