"""Build the rows of the core tables and merge them in, one statement each, one row a thing.

The DataFrame functions are pure; the statements are MERGEs, so writes are idempotent.
"""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.adapters.lake.commit import commit
from fraudwatch.domain.instants import day_of
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.lake import (
    CORE_LABELS,
    CORE_REFUNDS,
    CORE_TRANSACTIONS,
    CORE_VERDICTS,
    DATABASE,
)

FROM_LOG: Final = "log"
FROM_EXTRACT: Final = "extract"


class Merge(NamedTuple):
    """MERGE of rows into a table."""

    table: str
    day: str  # its partition column
    same: tuple[str, ...]  # its key columns
    clauses: str  # of MERGE, over ``there`` and ``here``


_INSERT: Final = "WHEN NOT MATCHED THEN INSERT *"


class Changed(NamedTuple):
    """Rows that a merge changed."""

    inserted: int
    updated: int
    deleted: int


TRANSACTIONS_OF_THE_LOG: Final = Merge(
    f"{DATABASE}.{CORE_TRANSACTIONS}",
    "event_on",
    ("transaction_id",),
    # The log is master data; among its rows, the stored one came first.
    f"WHEN MATCHED AND there.origin = '{FROM_EXTRACT}' THEN UPDATE SET * {_INSERT}",
)
VERDICTS: Final = Merge(
    f"{DATABASE}.{CORE_VERDICTS}",
    "event_on",
    ("transaction_id",),
    f"WHEN MATCHED AND here.decided_at_ms > there.decided_at_ms THEN UPDATE SET * {_INSERT}",
)
LABELS: Final = Merge(
    f"{DATABASE}.{CORE_LABELS}",
    "known_on",
    ("transaction_id", "source", "by", "known_at_ms"),
    _INSERT,
)
REFUNDS: Final = Merge(f"{DATABASE}.{CORE_REFUNDS}", "purchased_on", ("refund_id",), _INSERT)


def transactions_of_the_day(day: date) -> Merge:
    """Build the merge of a day's extract: insert what the log lacks, delete its own stale rows."""
    own = f"there.origin = '{FROM_EXTRACT}'"
    return TRANSACTIONS_OF_THE_LOG._replace(
        clauses=f"WHEN MATCHED AND {own} THEN UPDATE SET * {_INSERT} "
        f"WHEN NOT MATCHED BY SOURCE AND {own} AND there.event_on = DATE'{day}' THEN DELETE"
    )


def core_transactions(parsed: DataFrame, origin: str) -> DataFrame:
    """Select valid purchases, each once: the first offset counts, as in the detector."""
    first = _first_by(parsed, ["transaction_id"], F.col("source_partition"), F.col("source_offset"))
    return _without_place(first).withColumns(
        {"origin": F.lit(origin), "event_on": _day_of("event_at_ms")}
    )


def core_verdicts(parsed: DataFrame) -> DataFrame:
    """Select the latest verdict on each purchase, with its rules but not their sentences."""
    latest = _first_by(parsed, ["transaction_id"], F.col("decided_at_ms").desc())
    rules = F.transform(
        "reasons", lambda one: F.struct(one["rule"].alias("rule"), one["points"].alias("points"))
    )
    return latest.select(
        "transaction_id", "verdict_id", "customer_token", "outcome", "risk", "score", "mode",
        rules.alias("rules"), "route", "policy_version", "features_version", "risk_view",
        F.col("judged_partition").cast("int").alias("source_partition"),
        F.col("judged_offset").alias("source_offset"),
        "decided_at_ms", "event_at_ms", "amount_eur_cents", "payment_status", "channel",
        "merchant_id", "category", "merchant_country", _day_of("event_at_ms").alias("event_on"),
        "model_scores", "is_control", "is_novel", "review_from_score", "decline_from_score",
        "calibration",
    )  # fmt: skip


def core_labels(parsed: DataFrame) -> DataFrame:
    """Select every label once; an analyst's note stays in the raw layer."""
    place = (F.col("source_partition"), F.col("source_offset"))
    return _first_by(parsed, list(LABELS.same), *place).select(
        "transaction_id", "verdict", "source", "by", "known_at_ms",
        _day_of("known_at_ms").alias("known_on"), "reason_code",
    )  # fmt: skip


def core_refunds(parsed: DataFrame) -> DataFrame:
    """Select valid refunds, each once: the first offset counts, as in the detector."""
    place = (F.col("source_partition"), F.col("source_offset"))
    first = _without_place(_first_by(parsed, list(REFUNDS.same), *place))
    return first.withColumn("purchased_on", _day_of("purchased_at_ms"))


def merge(rows: DataFrame, how: Merge, counted: CountedRows) -> Changed:
    """Merge rows into their table; ``counted`` gives their time interval.

    Raises:
        LakeBusy: concurrent writers of the same days kept winning.
    """
    spark = rows.sparkSession
    rows.createOrReplaceTempView("rows_to_merge")
    within = ""
    if counted.from_ms is not None and counted.until_ms is not None:
        first, last = day_of(counted.from_ms), day_of(counted.until_ms - 1)
        # Literals, so that Delta opens only these days' files.
        within = f"AND there.{how.day} BETWEEN DATE'{first}' AND DATE'{last}'"
    same = " AND ".join(f"there.`{name}` = here.`{name}`" for name in (*how.same, how.day))
    statement = (
        f"MERGE INTO {how.table} AS there USING rows_to_merge AS here "
        f"ON {same} {within} {how.clauses}"
    )
    result = commit(lambda: spark.sql(statement).collect()[0], how.table)
    return Changed(*(result[f"num_{kind}_rows"] for kind in Changed._fields))


def _first_by(parsed: DataFrame, names: list[str], *order: Column) -> DataFrame:
    place = F.row_number().over(Window.partitionBy(*names).orderBy(*order))
    valid = parsed.where(F.col("code").isNull()).withColumn("place_", place)
    return valid.where("place_ = 1").drop("place_")


def _without_place(rows: DataFrame) -> DataFrame:
    return rows.drop("source_partition", "source_offset", "code")


def _day_of(column: str) -> Column:
    return F.to_date(F.timestamp_millis(column))
