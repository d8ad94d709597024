"""Refine the raw layer into the core layer incrementally, by a stream over the Delta table.

Each batch is merged, so a replay after a crash changes nothing. Rows that retention or an erasure
deletes from the raw layer are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pyspark import StorageLevel
from pyspark.errors import StreamingQueryException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.adapters.lake.core_rows import (
    FROM_LOG,
    LABELS,
    REFUNDS,
    TRANSACTIONS_OF_THE_LOG,
    VERDICTS,
    Merge,
    core_labels,
    core_refunds,
    core_transactions,
    core_verdicts,
    merge,
)
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.refund import REFUND_BEGINS, Refund
from fraudwatch.lake import (
    CHECKPOINT_FOLDER,
    CORE_REFUNDS,
    DATABASE,
    RAW_FRAUD_TOPIC,
    RAW_LABELS_TOPIC,
    RAW_TRANSACTION_TOPIC,
)
from fraudwatch.settings import LakeSettings
from spark_jobs.refine.lake_messages import messages_of, transactions_of, verdicts_of

# Bounds memory, whatever the backlog.
_BYTES_AT_ONCE: Final = "128m"
REPEATED: Final = "repeated"
_RAISED: Final = re.compile(r"[A-Za-z_.]+(?:Busy|Error|Exception): ")


class RefiningStopped(RuntimeError):
    """A raw table could not be refined into its core table."""


@dataclass(frozen=True, slots=True)
class RefineStep:
    """Refinement of one raw table into its core table."""

    raw: str
    how: Merge
    parse: Callable[[DataFrame], DataFrame]
    rows: Callable[[DataFrame], DataFrame]
    time: str  # the column that places a row in its interval
    own_name: str = ""  # of a second step over the same raw table

    @property
    def name(self) -> str:
        """Return the name of its checkpoint and of its outcomes."""
        return self.own_name or self.raw


def _labels(raw: DataFrame) -> DataFrame:
    return messages_of(raw, Label)


def _purchases(raw: DataFrame) -> DataFrame:
    return transactions_of(raw.where(~_is_refund()))


def _refunds(raw: DataFrame) -> DataFrame:
    return messages_of(raw.where(_is_refund()), Refund)


def _is_refund() -> Column:
    begins = F.substring("value", 1, len(REFUND_BEGINS)) == F.lit(REFUND_BEGINS)
    return F.coalesce(begins, F.lit(col=False))


REFINED: Final = (
    RefineStep(
        RAW_TRANSACTION_TOPIC,
        TRANSACTIONS_OF_THE_LOG,
        _purchases,
        lambda parsed: core_transactions(parsed, FROM_LOG),
        "event_at_ms",
    ),
    RefineStep(RAW_FRAUD_TOPIC, VERDICTS, verdicts_of, core_verdicts, "event_at_ms"),
    RefineStep(RAW_LABELS_TOPIC, LABELS, _labels, core_labels, "known_at_ms"),
    RefineStep(
        RAW_TRANSACTION_TOPIC,
        REFUNDS,
        _refunds,
        core_refunds,
        "purchased_at_ms",
        own_name=CORE_REFUNDS,
    ),
)


def refine(spark: SparkSession, lake: LakeSettings, step: RefineStep) -> CountedRows:
    """Refine all rows that were added to the raw table since the last run.

    Raises:
        RefiningStopped: a batch failed; the batches before it are stored.
    """
    counted: list[CountedRows] = []

    def on_batch(batch: DataFrame, _: int) -> None:
        counted.append(refine_batch(batch, step))

    added = (
        spark.readStream.format("delta")
        .option("skipChangeCommits", "true")
        .option("maxBytesPerTrigger", _BYTES_AT_ONCE)
        .table(f"{DATABASE}.{step.raw}")
    )
    query = (
        added.writeStream.queryName(f"refine_{step.name}")
        .option("checkpointLocation", lake.at(checkpoint_of(step.name)))
        .trigger(availableNow=True)
        .foreachBatch(on_batch)
        .start()
    )
    try:
        query.awaitTermination()
    except StreamingQueryException as error:
        raise RefiningStopped(_sentence(step, error)) from error
    return sum(counted, start=CountedRows())


def refine_batch(batch: DataFrame, step: RefineStep) -> CountedRows:
    """Merge one batch; every row is written or rejected for a reason."""
    # Used several times: to count, to find the days, to merge.
    parsed = step.parse(batch).persist(StorageLevel.DISK_ONLY)
    try:
        counted = count_parsed(parsed, step.time)
        changed = merge(step.rows(parsed), step.how, counted)
    finally:
        parsed.unpersist()
    return with_repeats(counted, changed.inserted + changed.updated)


def count_parsed(parsed: DataFrame, time: str) -> CountedRows:
    """Count the rows, those rejected by reason, and find their time interval."""
    groups: list[Any] = (
        parsed.groupBy("code")
        .agg(F.count("*").alias("rows"), F.min(time).alias("first"), F.max(time).alias("last"))
        .collect()
    )
    valid = next((row for row in groups if row["code"] is None), None)
    return CountedRows(
        rows_in=sum(row["rows"] for row in groups),
        rejected={row["code"]: row["rows"] for row in groups if row["code"] is not None},
        from_ms=valid["first"] if valid else None,
        until_ms=valid["last"] + 1 if valid else None,
    )


def with_repeats(counted: CountedRows, changed: int) -> CountedRows:
    """Count valid rows that changed nothing as repeats: already stored, or not newer."""
    repeats = counted.rows_in - sum(counted.rejected.values()) - changed
    return counted + CountedRows(rows_out=changed, rejected={REPEATED: repeats} if repeats else {})


def checkpoint_of(name: str) -> str:
    """Return the lake folder of a step's checkpoint."""
    return f"{CHECKPOINT_FOLDER}/refine/{name}"


def _sentence(step: RefineStep, error: StreamingQueryException) -> str:
    lines = [line.strip() for line in str(error).strip().splitlines()]
    # Python's own error is the last in the traceback that Spark quotes.
    raised = [line for line in lines if _RAISED.match(line)]
    return (
        f"refining {step.name} stopped: {(raised or lines)[-1 if raised else 0]}; complete batches "
        "are stored and none counts twice: fix the cause and run this again"
    )
