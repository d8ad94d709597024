"""Measure verdicts against labels: quality by the labels' age, calibration of served scores.

Each number is of seven days. The older their labels, the more of them are known: chargebacks take
weeks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.domain.evaluation.calibration import FROM_SCORE
from fraudwatch.domain.evaluation.drift import MIN_DECIDED, Share
from fraudwatch.domain.messages.purchase import PaymentStatus
from fraudwatch.domain.messages.verdict import Mode
from spark_jobs.drift.day import WEEK
from spark_jobs.drift.rows import DayWindow, days_before
from spark_jobs.marts.judged import has_verdict, is_decided


class LabelQuality(NamedTuple):
    """Precision, recall and false-positive rate of the alerts of some days."""

    precision: Share
    recall: Share
    false_positives: Share


class Calibration(NamedTuple):
    """Brier score and slope of served scores; None where there are too few purchases."""

    brier: float | None
    slope: float | None


def days_of_age(day: date, age_days: int) -> DayWindow:
    """Return the seven days whose labels have had this many days by the end of the day."""
    return days_before(day - timedelta(days=age_days - 1), WEEK, "as old as their labels")


def quality_by_age(
    scored: DataFrame, day: date, ages_days: tuple[int, ...]
) -> Mapping[int, LabelQuality]:
    """Count alerts and labels for every age, in one pass over the purchases.

    Precision is that of the alerts that an analyst decided; a purchase without a label is a false
    positive if it is an alert.
    """
    is_fraud, is_alert = F.coalesce("is_fraud", F.lit(False)), F.col("is_alert")
    is_judged_alert = is_alert & is_decided()
    conditions = (
        (is_judged_alert & is_fraud, is_judged_alert),
        (is_alert & is_fraud, has_verdict() & is_fraud),
        (is_alert & ~is_fraud, has_verdict() & ~is_fraud),
    )
    windows = {age: days_of_age(day, age).contains() for age in ages_days}
    counts = [
        F.count_if(window & condition)
        for window in windows.values()
        for pair in conditions
        for condition in pair
    ]
    found: Any = scored.agg(*counts).first()
    numbers = iter(found)
    return {
        age: LabelQuality(*(Share(next(numbers), next(numbers)) for _ in conditions))
        for age in windows
    }


def calibration_of(scored: DataFrame, verdicts: DataFrame) -> Calibration:
    """Compute the calibration of served probabilities, as the domain defines its numbers.

    A purchase without a label counts as genuine, but where nobody could complain: we declined it,
    or its payment failed.
    """
    is_probability = (F.col("mode") == str(Mode.WITH_MODEL)) & (F.col("calibration") != "")
    served = verdicts.where(is_probability).select("transaction_id", "score")
    rows = scored.where(_is_known()).join(served, "transaction_id")
    label = F.coalesce("is_fraud", F.lit(False)).cast("double")
    chosen = F.when(F.col("score") >= FROM_SCORE, F.col("score"))
    found: Any = rows.agg(
        F.avg(F.pow(F.col("score") - label, 2)), F.regr_slope(label, chosen), F.count(chosen)
    ).first()
    brier, slope, purchases = found
    return Calibration(brier, slope if purchases >= MIN_DECIDED else None)


def _is_known() -> Column:
    is_sold = ~F.col("is_declined") & (F.col("payment_status") == str(PaymentStatus.APPROVED))
    return F.col("is_fraud").isNotNull() | is_sold
