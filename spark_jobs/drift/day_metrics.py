"""Send a day's drift, quality and calibration as metrics."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import DataFrame, SparkSession

from fraudwatch import lake
from fraudwatch.domain.evaluation.drift import Measure
from fraudwatch.domain.evaluation.drift_summary import features_moved, psi_by_subject
from fraudwatch.observability.catalogue.jobs import LABEL_AGES_DAYS
from fraudwatch.observability.job_metrics import is_on, send_gauge
from spark_jobs.days import Days
from spark_jobs.drift.day import WEEK
from spark_jobs.drift.quality import calibration_of, days_of_age, quality_by_age
from spark_jobs.drift.rows import DayWindow
from spark_jobs.marts.judged import labels_known_by, scored_purchases


def send_drift(measures: Sequence[Measure]) -> None:
    """Send the day's PSI by subject, and how many features moved."""
    for subject, value in psi_by_subject(measures).items():
        send_gauge("fraudwatch_drift_psi", value, subject=subject)
    send_gauge("fraudwatch_drift_features_moved", features_moved(measures))


def send_quality(spark: SparkSession, day: date, label_delay_days: int) -> None:
    """Send precision, recall, false positives and calibration, by the labels of the day's end."""
    if not is_on():
        return
    oldest = max(*LABEL_AGES_DAYS, label_delay_days) + WEEK
    reach = DayWindow(day - timedelta(days=oldest), day, "")
    verdicts = _table(spark, lake.CORE_VERDICTS).where(reach.contains())
    scored = scored_purchases(
        _table(spark, lake.CORE_TRANSACTIONS).where(reach.contains()),
        verdicts,
        labels_known_by(_table(spark, lake.CORE_LABELS), Days(day, day).until_ms),
    ).persist()
    try:
        _send_by_age(scored, day)
        past_delay = days_of_age(day, label_delay_days).contains()
        calibration = calibration_of(scored.where(past_delay), verdicts.where(past_delay))
    finally:
        scored.unpersist()
    send_gauge("fraudwatch_calibration_brier", calibration.brier)
    send_gauge("fraudwatch_calibration_slope", calibration.slope)


def _send_by_age(scored: DataFrame, day: date) -> None:
    for age, quality in quality_by_age(scored, day, LABEL_AGES_DAYS).items():
        label_age = f"{age}d"
        for name, share in (
            ("precision", quality.precision),
            ("recall", quality.recall),
            ("false_positive", quality.false_positives),
        ):
            send_gauge(f"fraudwatch_quality_{name}_ratio", share.ratio, label_age=label_age)


def _table(spark: SparkSession, name: str) -> DataFrame:
    return spark.table(f"{lake.DATABASE}.{name}")
