"""Marts ``out_fraud_by_*``: the same counts, by day and one more dimension."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch import lake
from spark_jobs.marts.customers import by_day_and_source
from spark_jobs.marts.judged import has_verdict, is_decided
from spark_jobs.marts.sums import cents_where, count_known, count_where, ratio

GROUPED_BY: Final = MappingProxyType(
    {
        lake.OUT_FRAUD_BY_DAY: (),
        lake.OUT_FRAUD_BY_COUNTRY: ("merchant_country",),
        lake.OUT_FRAUD_BY_MERCHANT: ("merchant_id",),
        lake.OUT_FRAUD_BY_CATEGORY: ("category",),
        lake.OUT_FRAUD_BY_HOUR: ("hour_of_day",),
    }
)


def fraud_by(scored: DataFrame, *keys: str) -> DataFrame:
    """Count purchases, alerts and their labels, by day, source and these columns."""
    counted = by_day_and_source(scored, keys, _counts())
    return counted.withColumns(
        {
            "precision_ratio": ratio(F.col("alerts_decided_fraud"), F.col("alerts_decided")),
            "recall_ratio": ratio(F.col("alerts_known_fraud"), F.col("known_fraud")),
            # Each control purchase stands for 1 / share declines, so the weights cancel.
            "decline_precision_ratio": ratio(
                F.col("control_decided_fraud"), F.col("control_decided")
            ),
        }
    )


def _counts() -> dict[str, Column]:
    is_fraud = has_verdict() & F.col("is_fraud")
    decided_alert = F.col("is_alert") & is_decided()
    decided_control = F.col("is_control") & is_decided()
    return {
        "purchases": F.count("*"),
        "amount_eur_cents": F.sum("amount_eur_cents"),
        "refunded_eur_cents": F.sum("refunded_eur_cents"),
        "judged": count_where(has_verdict()),
        "alerts": count_known(F.col("is_alert")),
        "reviewed": count_known(F.col("is_reviewed")),
        "challenged": count_known(F.col("is_challenged")),
        "declined": count_known(F.col("is_declined")),
        "control": count_known(F.col("is_control")),
        "control_decided": count_where(decided_control),
        "control_decided_fraud": count_where(decided_control & F.col("is_fraud")),
        "known_fraud": count_where(is_fraud),
        "known_genuine": count_where(has_verdict() & ~F.col("is_fraud")),
        "known_fraud_eur_cents": cents_where(is_fraud),
        "alerts_known_fraud": count_where(F.col("is_alert") & F.col("is_fraud")),
        "alerts_decided": count_where(decided_alert),
        "alerts_decided_fraud": count_where(decided_alert & F.col("is_fraud")),
    }
