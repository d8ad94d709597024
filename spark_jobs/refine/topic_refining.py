"""The raw layer into the core layer, incrementally: Delta's own stream says what is new.

Each batch is merged, so that one that is run again after a crash changes nothing. What retention or
an erasure takes from the raw layer is no news and is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pyspark import StorageLevel
from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.adapters.lake.core_rows import (
    FROM_LOG,
    LABELS,
    TRANSACTIONS_OF_THE_LOG,
    VERDICTS,
    Merge,
    core_labels,
    core_transactions,
    core_verdicts,
    merge,
)
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.domain.messages.label import Label
from fraudwatch.lake import (
    CHECKPOINT_FOLDER,
    DATABASE,
    RAW_FRAUD_TOPIC,
    RAW_LABELS_TOPIC,
    RAW_TRANSACTION_TOPIC,
)
from fraudwatch.settings import LakeSettings
from spark_jobs.refine.lake_messages import messages_of, transactions_of, verdicts_of

# So that memory does not grow with what there is to catch up on.
_BYTES_AT_ONCE: Final = "128m"
REPEATED: Final = "repeated"
_RAISED: Final = re.compile(r"[A-Za-z_.]+(?:Busy|Error|Exception): ")


class RefiningStopped(RuntimeError):
    """A raw table could not be brought into its core table."""


@dataclass(frozen=True, slots=True)
class Refining:
    """From which table into which, and what lies between."""

    raw: str
    how: Merge
    parse: Callable[[DataFrame], DataFrame]
    rows: Callable[[DataFrame], DataFrame]
    time: str  # the column that places a row in its interval


def _labels(raw: DataFrame) -> DataFrame:
    return messages_of(raw, Label)


REFINED: Final = (
    Refining(
        RAW_TRANSACTION_TOPIC,
        TRANSACTIONS_OF_THE_LOG,
        transactions_of,
        lambda parsed: core_transactions(parsed, FROM_LOG),
        "event_at_ms",
    ),
    Refining(RAW_FRAUD_TOPIC, VERDICTS, verdicts_of, core_verdicts, "event_at_ms"),
    Refining(RAW_LABELS_TOPIC, LABELS, _labels, core_labels, "known_at_ms"),
)


def refine(spark: SparkSession, lake: LakeSettings, what: Refining) -> CountedRows:
    """Everything that came into the raw table since the last time.

    Raises:
        RefiningStopped: batches before the one that failed were kept.
    """
    counted: list[CountedRows] = []

    def take(batch: DataFrame, _: int) -> None:
        counted.append(refine_batch(batch, what))

    news = (
        spark.readStream.format("delta")
        .option("skipChangeCommits", "true")
        .option("maxBytesPerTrigger", _BYTES_AT_ONCE)
        .table(f"{DATABASE}.{what.raw}")
    )
    query = (
        news.writeStream.queryName(f"refine_{what.raw}")
        .option("checkpointLocation", lake.at(checkpoint_of(what.raw)))
        .trigger(availableNow=True)
        .foreachBatch(take)
        .start()
    )
    try:
        query.awaitTermination()
    except StreamingQueryException as error:
        raise RefiningStopped(_sentence(what, error)) from error
    return sum(counted, start=CountedRows())


def refine_batch(batch: DataFrame, what: Refining) -> CountedRows:
    """Merge one batch; every row of it is written or put aside for a reason."""
    # Asked several times: to count, to find the days, to merge.
    parsed = what.parse(batch).persist(StorageLevel.DISK_ONLY)
    try:
        counted = count_parsed(parsed, what.time)
        changed = merge(what.rows(parsed), what.how, counted)
    finally:
        parsed.unpersist()
    return with_repeats(counted, changed.inserted + changed.updated)


def count_parsed(parsed: DataFrame, time: str) -> CountedRows:
    """How many rows there are, how many are refused for which reason, and when they were."""
    found: list[Any] = (
        parsed.groupBy("code")
        .agg(F.count("*").alias("rows"), F.min(time).alias("first"), F.max(time).alias("last"))
        .collect()
    )
    sound = next((row for row in found if row["code"] is None), None)
    return CountedRows(
        rows_in=sum(row["rows"] for row in found),
        rejected={row["code"]: row["rows"] for row in found if row["code"] is not None},
        from_ms=sound["first"] if sound else None,
        until_ms=sound["last"] + 1 if sound else None,
    )


def with_repeats(counted: CountedRows, changed: int) -> CountedRows:
    """What was sound and changed nothing was there already, or said nothing newer."""
    repeats = counted.rows_in - sum(counted.rejected.values()) - changed
    return counted + CountedRows(rows_out=changed, rejected={REPEATED: repeats} if repeats else {})


def checkpoint_of(raw: str) -> str:
    """The folder of the lake where Spark logs what was refined."""
    return f"{CHECKPOINT_FOLDER}/refine/{raw}"


def _sentence(what: Refining, error: StreamingQueryException) -> str:
    told = [line.strip() for line in str(error).strip().splitlines()]
    # Python's own error comes last in the traceback that Spark quotes.
    raised = [line for line in told if _RAISED.match(line)]
    return (
        f"refining {what.raw} stopped: {(raised or told)[-1 if raised else 0]}; whole batches were "
        "kept and none counts twice: remove the cause and run this again"
    )
