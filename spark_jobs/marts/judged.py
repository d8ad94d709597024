"""Join purchases with their verdicts and labels, the base of every mart."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.domain.messages.label import LabelValue, Source
from fraudwatch.domain.messages.purchase import SOURCE_SEPARATOR
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.time_units import HOUR_MS

_HOURS_OF_DAY = 24
_KEPT = (
    "transaction_id",
    "event_on",
    "customer_token",
    "amount_eur_cents",
    "payment_status",
    "merchant_id",
    "merchant_country",
    "category",
    "origin",
)


def labels_known_by(labels: DataFrame, until_ms: int) -> DataFrame:
    """Select the labels that were known before this instant, each once."""
    return labels.where(F.col("known_at_ms") < until_ms).distinct()


def current_labels(labels: DataFrame) -> DataFrame:
    """Compute each transaction's current label: ``transaction_id``, ``is_fraud``, ``is_decided``.

    The same rule as in ``fraudwatch.domain.evaluation.labelled_alerts``: only the latest label of
    each source counts, unsure ones do not, the later source wins, at the same instant the
    chargeback, then the greater text. A purchase is decided when an analyst's label is sure.
    """
    latest = Window.partitionBy("transaction_id", "source").orderBy(
        F.desc("known_at_ms"), F.desc("verdict")
    )
    is_chargeback = F.col("source") == Source.CHARGEBACK
    is_analyst = F.col("source") == Source.ANALYST
    current = (
        labels.withColumn("place", F.row_number().over(latest))
        .where((F.col("place") == 1) & (F.col("verdict") != LabelValue.UNSURE))
        .select(
            "transaction_id",
            F.struct(
                "known_at_ms",
                is_chargeback.alias("is_chargeback"),
                "verdict",
            ).alias("label"),
            is_analyst.alias("is_analyst"),
        )
    )
    return current.groupBy("transaction_id").agg(
        (F.max("label")["verdict"] == LabelValue.FRAUD).alias("is_fraud"),
        F.max("is_analyst").alias("is_decided"),
    )


def scored_purchases(transactions: DataFrame, verdicts: DataFrame, labels: DataFrame) -> DataFrame:
    """Join one row a purchase; NULL where there is no verdict or no label.

    Adds ``source``, ``hour_of_day``, ``is_alert``, ``is_reviewed``, ``is_challenged``,
    ``is_declined``, ``is_control``, ``rules``, ``decided_at_ms``, ``probability`` (of the
    calibrated model), ``calibration``, ``is_fraud`` and ``is_decided`` to the purchase's own
    fields.
    """
    outcome = F.col("outcome")
    decisions = verdicts.select(
        "transaction_id",
        "rules",
        "decided_at_ms",
        (outcome != Outcome.APPROVE).alias("is_alert"),
        (outcome == Outcome.REVIEW).alias("is_reviewed"),
        (outcome == Outcome.CHALLENGE).alias("is_challenged"),
        (outcome == Outcome.DECLINE).alias("is_declined"),
        # NULL in verdicts of before there was a control group.
        F.coalesce("is_control", F.lit(col=False)).alias("is_control"),
        F.when(F.col("calibration") != "", F.col("score")).alias("probability"),
        "calibration",
    )
    source = F.substring_index("transaction_id", SOURCE_SEPARATOR, 1)
    hour = (F.col("event_at_ms") / HOUR_MS).cast("bigint") % _HOURS_OF_DAY
    return (
        transactions.select(*_KEPT, source.alias("source"), hour.cast("int").alias("hour_of_day"))
        .join(decisions, "transaction_id", "left")
        .join(current_labels(labels), "transaction_id", "left")
    )


def has_verdict() -> Column:
    """Return a condition: the purchase has a verdict."""
    return F.col("is_alert").isNotNull()


def is_decided() -> Column:
    """Return a condition: an analyst's label is sure."""
    return F.coalesce(F.col("is_decided"), F.lit(col=False))
