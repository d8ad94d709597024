"""Mart ``out_analyst_workload``: decisions by analyst, and how long alerts waited for them."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.domain.messages.label import LabelValue, Source
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.time_units import MINUTE_MS
from spark_jobs.marts.sums import count_where


def analyst_workload(labels: DataFrame, verdicts: DataFrame) -> DataFrame:
    """Compute one row an analyst and day of decision.

    A label on a purchase without alert, or from before its verdict, counts as a decision without
    waiting time.
    """
    alerts = verdicts.where(F.col("outcome") != Outcome.APPROVE).select(
        "transaction_id", "decided_at_ms"
    )
    waited_ms = F.col("known_at_ms") - F.col("decided_at_ms")
    label = F.col("verdict")
    return (
        labels.where(F.col("source") == Source.ANALYST)
        .join(alerts, "transaction_id", "left")
        .groupBy("known_on", F.col("by").alias("analyst"))
        .agg(
            F.count("*").alias("decisions"),
            count_where(label == LabelValue.FRAUD).alias("fraud"),
            count_where(label == LabelValue.GENUINE).alias("genuine"),
            count_where(label == LabelValue.UNSURE).alias("unsure"),
            F.median(F.when(waited_ms >= 0, waited_ms / MINUTE_MS)).alias(
                "median_minutes_to_decision"
            ),
        )
    )
