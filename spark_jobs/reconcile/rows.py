"""What is held side by side to reconcile a day: DataFrames in, DataFrames out."""

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

_SAID: Final = (
    "outcome", "risk", "score", "amount_eur_cents", "mode", "policy_version", "features_version",
    "risk_view", "decided_at_ms", "model_scores",
)  # fmt: skip


class Told(NamedTuple):
    """What was said beside the verdicts of the topic, each by transaction id."""

    vectors: DataFrame  # raw_feature_topic
    core_verdicts: DataFrame
    core_transactions: DataFrame
    stored: DataFrame  # transaction_id and said


def cut_of(archived: DataFrame, day: date, until_ms: int) -> DayCut:
    """Where the day lies in the archive; what was produced from ``until_ms`` on is not in it."""
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
    """Whether a row's place is one of the cut's."""
    parts = [
        (F.col(partition) == number)
        & (F.col(offset) >= cut.starts.get(number, 0))
        & (F.col(offset) < end)
        for number, end in cut.ends.items()
    ]
    return F.coalesce(reduce(or_, parts, F.lit(False)), F.lit(False))


def accepted_of(folded: DataFrame) -> DataFrame:
    """The accepted purchases, each id once: the first stands."""
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
    """Those on the day's purchases or places; of a day that is over, those on nothing as well."""
    ids = accepted.select("transaction_id", F.lit(True).alias("is_accepted"))
    readable = verdicts.where(F.col("transaction_id").isNotNull()).join(
        ids, "transaction_id", "left"
    )
    is_ours = F.coalesce("is_accepted", F.lit(False)) | within(
        cut, "judged_partition", "judged_offset"
    )
    ours = readable.where(is_ours)
    if over is None:
        return ours
    event_on = F.to_date(F.timestamp_millis("event_at_ms"))
    strangers = readable.where(~is_ours & (F.col("produced_on") == F.lit(over)))
    known = core_transactions.where(F.col("origin") == FROM_LOG).select(
        "transaction_id", "event_on"
    )
    unknown = strangers.withColumn("event_on", event_on).join(
        known, ["transaction_id", "event_on"], "left_anti"
    )
    return ours.unionByName(unknown.drop("event_on"))


def copies_of(verdicts: DataFrame) -> DataFrame:
    """The different verdicts on each purchase, the one decided last first, and all messages."""
    said = F.struct(F.col("said.decided_at_ms").alias("at"), F.col("said").alias("said"))
    latest_first = F.sort_array(F.collect_set(said), asc=False)
    return verdicts.groupBy("transaction_id").agg(
        F.transform(latest_first, lambda one: one["said"]).alias("copies"),
        F.count("*").alias("messages"),
    )


def vectors_of(raw: DataFrame) -> DataFrame:
    """The different vectors that were served for each purchase."""
    named = F.filter("headers", lambda one: one["key"] == TRANSACTION_ID_HEADER)
    name = F.try_element_at(named, F.lit(1))["value"].cast("string")
    rows = raw.select(name.alias("transaction_id"), F.coalesce("value", F.lit(b"")).alias("value"))
    return rows.groupBy("transaction_id").agg(F.sort_array(F.collect_set("value")).alias("served"))


def joined(accepted: DataFrame, copies: DataFrame, told: Told, cut: DayCut) -> DataFrame:
    """One row an id that anybody speaks of, as :mod:`spark_reconciling` takes it."""
    of_core = told.core_verdicts.select(
        "transaction_id",
        F.struct(*_SAID).alias("core"),
        within(cut, "source_partition", "source_offset").alias("is_in_cut"),
    )
    # An id of another day may stand in the core table; it is not this day's to judge.
    ids = (
        accepted.select("transaction_id")
        .unionByName(copies.select("transaction_id"))
        .unionByName(of_core.where("is_in_cut").select("transaction_id"))
        .unionByName(told.stored.select("transaction_id"))
        .distinct()
    )
    bought = told.core_transactions.where(F.col("origin") == FROM_LOG).select(
        "transaction_id", F.col("amount_eur_cents").alias("core_amount_eur_cents")
    )
    parts = (
        accepted.drop("event_at_ms"),
        copies,
        of_core.drop("is_in_cut"),
        bought,
        told.stored.withColumnRenamed("said", "stored"),
        vectors_of(told.vectors),
    )
    rows = reduce(lambda left, right: left.join(right, "transaction_id", "left"), parts, ids)
    return rows.select(*COLUMNS)


def counted(findings: DataFrame) -> DataFrame:
    """Of each finding or note how many rows, and a few of them as examples."""
    one = F.struct("transaction_id", "held_by", "said", "expected")
    first = F.slice(F.sort_array(F.collect_set(one)), 1, MAX_EXAMPLES)
    few = findings.where(F.col("transaction_id").isNotNull())
    # Of a day on which everything is wrong not everything has to be in memory at once.
    place = F.row_number().over(_by_id())
    examples = few.withColumn("place_", place).where(F.col("place_") <= MAX_EXAMPLES)
    return (
        findings.groupBy("finding")
        .agg(F.sum("rows").alias("rows"))
        .join(examples.groupBy("finding").agg(first.alias("examples")), "finding", "left")
    )


def _by_id() -> WindowSpec:
    return Window.partitionBy("finding").orderBy("transaction_id", "held_by", "said")
