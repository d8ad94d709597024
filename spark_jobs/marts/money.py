"""Mart ``out_money``: money saved, missed and wrongly blocked, by day and source."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.domain.messages.purchase import PaymentStatus
from spark_jobs.marts.customers import by_day_and_source
from spark_jobs.marts.judged import has_verdict
from spark_jobs.marts.sums import cents_where, count_where, ratio


def money(scored: DataFrame) -> DataFrame:
    """Sum the money of scored purchases whose payment was approved; see ``docs/reports.md``.

    Sums that need labels are NULL on a day without any: unknown, not zero.
    """
    is_approved, is_fraud = F.col("payment_status") == PaymentStatus.APPROVED, F.col("is_fraud")
    is_blocked, is_passed = F.col("is_declined"), ~F.col("is_alert")
    labelled = count_where(is_fraud.isNotNull())
    sums = {
        "judged_eur_cents": F.sum("amount_eur_cents"),
        "blocked_eur_cents": cents_where(is_blocked),
        "saved_eur_cents": _known(labelled, is_blocked & is_fraud),
        "saved_unconfirmed_eur_cents": cents_where(is_blocked & is_fraud.isNull()),
        "wrongly_blocked_eur_cents": _known(labelled, is_blocked & ~is_fraud),
        "reviewed_fraud_eur_cents": _known(labelled, F.col("is_reviewed") & is_fraud),
        "challenged_fraud_eur_cents": _known(labelled, F.col("is_challenged") & is_fraud),
        "missed_eur_cents": _known(labelled, is_passed & is_fraud),
        "labelled": labelled,
        "refunded_eur_cents": F.sum("refunded_eur_cents"),
    }
    summed = by_day_and_source(scored.where(has_verdict() & is_approved), (), sums)
    caught = (
        F.col("saved_eur_cents")
        + F.col("reviewed_fraud_eur_cents")
        + F.col("challenged_fraud_eur_cents")
    )
    recall = ratio(caught, caught + F.col("missed_eur_cents"))
    return summed.withColumn("value_recall_ratio", recall)


def _known(labelled: Column, condition: Column) -> Column:
    return F.when(labelled > 0, cents_where(condition))
