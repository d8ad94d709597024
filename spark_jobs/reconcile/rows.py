"""Join purchases, verdicts, vectors and stored rows to reconcile a day, as pure DataFrames."""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import or_
from typing import Final, NamedTuple

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.adapters.lake.core_rows import FROM_LOG
from fraudwatch.domain.reconciliation.day_cut import DayCut
from fraudwatch.domain.reconciliation.reconciled import MAX_EXAMPLES
from fraudwatch.topics import TRANSACTION_ID_HEADER
from spark_jobs.reconcile.spark_reconciling import COLUMNS

_VERDICT_COLUMNS: Final = (
    "outcome", "risk", "score", "amount_eur_cents", "mode", "policy_version", "features_version",
    "risk_view", "decided_at_ms", "model_scores", "calibration", "is_control", "is_novel",
)  # fmt: skip


class ReconcileInputs(NamedTuple):
    """Records to compare with the topic's verdicts, each by transaction id."""

    vectors: DataFrame  # raw_feature_topic
    core_verdicts: DataFrame
    core_transactions: DataFrame
    stored: DataFrame  # transaction_id and said


def cut_of(archived: DataFrame, day: date, until_ms: int) -> DayCut:
    """Cut the archive by offsets to the day, without messages produced from ``until_ms`` on."""
    produced_at_ms = F.unix_millis("produced_at")
    before = F.max(F.when(F.col("produced_on") < F.lit(day), F.col("source_offset")))
    rows = (
        archived.where((F.col("produced_on") <= F.lit(day)) & (produced_at_ms < until_ms))
        .groupBy("source_partition")
        .agg(before.alias("before"), F.max("source_offset").alias("last"))
        .collect()
    )
    return DayCut(
        starts={row.source_partition: row.before + 1 for row in rows if row.before is not None},
        ends={row.source_partition: row.last + 1 for row in rows},
    )


def within(cut: DayCut, partition: str, offset: str) -> Column:
    """Return a condition: the row's partition and offset are in the cut."""
    parts = [
        (F.col(partition) == number)
        & (F.col(offset) >= cut.starts.get(number, 0))
        & (F.col(offset) < end)
        for number, end in cut.ends.items()
    ]
    return F.coalesce(reduce(or_, parts, F.lit(False)), F.lit(False))


def accepted_purchases(folded: DataFrame) -> DataFrame:
    """Select the accepted purchases, each id once: the first offset counts."""
    place = F.struct("source_partition", "source_offset")
    first = F.min_by(F.struct("value", "features", "event_at_ms"), place)
    rows = folded.where(F.col("transaction_id").isNotNull()).groupBy("transaction_id")
    return rows.agg(first.alias("first")).select("transaction_id", "first.*")


def verdicts_of_day(
    verdicts: DataFrame,
    accepted: DataFrame,
    cut: DayCut,
    core_transactions: DataFrame,
    over: date | None,
) -> DataFrame:
    """Select verdicts on the day's purchases or offsets; of a past day also those without any."""
    ids = accepted.select("transaction_id", F.lit(True).alias("is_accepted"))
    readable = verdicts.where(F.col("transaction_id").isNotNull()).join(
        ids, "transaction_id", "left"
    )
    is_of_day = F.coalesce("is_accepted", F.lit(False)) | within(
        cut, "judged_partition", "judged_offset"
    )
    of_day = readable.where(is_of_day)
    if over is None:
        return of_day
    event_on = F.to_date(F.timestamp_millis("event_at_ms"))
    others = readable.where(~is_of_day & (F.col("produced_on") == F.lit(over)))
    known = core_transactions.where(F.col("origin") == FROM_LOG).select(
        "transaction_id", "event_on"
    )
    unknown = others.withColumn("event_on", event_on).join(
        known, ["transaction_id", "event_on"], "left_anti"
    )
    return of_day.unionByName(unknown.drop("event_on"))


def verdict_copies(verdicts: DataFrame) -> DataFrame:
    """Collect the distinct verdicts on each purchase, latest first, and count all messages."""
    dated = F.struct(F.col("said.decided_at_ms").alias("at"), F.col("said").alias("said"))
    latest_first = F.sort_array(F.collect_set(dated), asc=False)
    return verdicts.groupBy("transaction_id").agg(
        F.transform(latest_first, lambda one: one["said"]).alias("copies"),
        F.count("*").alias("messages"),
    )


def vectors_of(raw: DataFrame) -> DataFrame:
    """Collect the distinct vectors that were served for each purchase."""
    named = F.filter("headers", lambda one: one["key"] == TRANSACTION_ID_HEADER)
    name = F.try_element_at(named, F.lit(1))["value"].cast("string")
    rows = raw.select(name.alias("transaction_id"), F.coalesce("value", F.lit(b"")).alias("value"))
    return rows.groupBy("transaction_id").agg(F.sort_array(F.collect_set("value")).alias("served"))


def join_records(
    accepted: DataFrame, copies: DataFrame, inputs: ReconcileInputs, cut: DayCut
) -> DataFrame:
    """Join one row an id that any source holds, in the columns of :mod:`spark_reconciling`."""
    of_core = inputs.core_verdicts.select(
        "transaction_id",
        F.struct(*_VERDICT_COLUMNS).alias("core"),
        within(cut, "source_partition", "source_offset").alias("is_in_cut"),
    )
    # The core table may hold ids of other days; they are not compared here.
    ids = (
        accepted.select("transaction_id")
        .unionByName(copies.select("transaction_id"))
        .unionByName(of_core.where("is_in_cut").select("transaction_id"))
        .unionByName(inputs.stored.select("transaction_id"))
        .distinct()
    )
    bought = inputs.core_transactions.where(F.col("origin") == FROM_LOG).select(
        "transaction_id", F.col("amount_eur_cents").alias("core_amount_eur_cents")
    )
    parts = (
        accepted.drop("event_at_ms"),
        copies,
        of_core.drop("is_in_cut"),
        bought,
        inputs.stored.withColumnRenamed("said", "stored"),
        vectors_of(inputs.vectors),
    )
    rows = reduce(lambda left, right: left.join(right, "transaction_id", "left"), parts, ids)
    return rows.select(*COLUMNS)


def count_findings(findings: DataFrame) -> DataFrame:
    """Count the rows of each finding or note, with a few as examples."""
    one = F.struct("transaction_id", "held_by", "said", "expected")
    first = F.slice(F.sort_array(F.collect_set(one)), 1, MAX_EXAMPLES)
    few = findings.where(F.col("transaction_id").isNotNull())
    # Bounds memory on a day on which every row is a finding.
    place = F.row_number().over(_by_id())
    examples = few.withColumn("place_", place).where(F.col("place_") <= MAX_EXAMPLES)
    return (
        findings.groupBy("finding")
        .agg(F.sum("rows").alias("rows"))
        .join(examples.groupBy("finding").agg(first.alias("examples")), "finding", "left")
    )


def _by_id() -> WindowSpec:
    return Window.partitionBy("finding").orderBy("transaction_id", "held_by", "said")
