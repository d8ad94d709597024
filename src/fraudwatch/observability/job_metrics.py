"""Send a batch job's metrics by StatsD: a job ends before it could be scraped.

Metrics are declared here with their meaning, their closed sets of labels, and in a comment the
alert condition. They are sent only where STATSD_HOST is set, by UDP: a receiver that is down never
fails or delays a job. A job that is killed by a signal sends nothing; Airflow counts its run.
"""

from __future__ import annotations

import enum
import logging
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from statsd import StatsClient

HOST: Final = "STATSD_HOST"
PORT: Final = "STATSD_PORT"
_DEFAULT_PORT: Final = "9125"

# Values of labels: StatsD's tags have no escapes, and Airflow sends none but such.
JOBS: Final = frozenset(
    {
        "archive_topics", "backtest_policy", "build_features", "build_reports", "build_risk_views",
        "build_states", "check_day", "enforce_retention", "extract_day", "fit_forest",
        "monitor_drift", "reconcile_views", "refine_day", "refine_topics", "renew_alert_curve",
        "train_model",
    }
)  # fmt: skip
LABEL_AGES_DAYS: Final = (3, 7, 30)
SUBJECTS: Final = frozenset({"score", "alerts", "features"})

log = logging.getLogger("job_metrics")


class StatsdKind(enum.Enum):
    """Kind of a StatsD metric."""

    COUNTER = enum.auto()
    GAUGE = enum.auto()
    TIMER = enum.auto()


@dataclass(frozen=True, slots=True)
class JobMetric:
    """Kind, meaning and labels of one metric, with all values that a label can have."""

    kind: StatsdKind
    meaning: str
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)


_BY_JOB: Final = {"job": JOBS}
_BY_AGE: Final = {"label_age": frozenset(f"{days}d" for days in LABEL_AGES_DAYS)}

JOB_METRICS: Final[dict[str, JobMetric]] = {
    # Its count is the number of runs. Alert when a run takes as long as its schedule's interval.
    "fraudwatch_job_seconds": JobMetric(StatsdKind.TIMER, "Time of a run, failed or not", _BY_JOB),
    # Alert when it increases.
    "fraudwatch_job_failures": JobMetric(
        StatsdKind.COUNTER, "Runs that ended with an error", _BY_JOB
    ),
    # Alert when it is older than twice the schedule's interval.
    "fraudwatch_job_finished_at_seconds": JobMetric(
        StatsdKind.GAUGE, "End of the last successful run, epoch seconds", _BY_JOB
    ),
    # Alert when it is 0 while purchases arrive.
    "fraudwatch_job_rows": JobMetric(StatsdKind.GAUGE, "Rows that the last run wrote", _BY_JOB),
    # Of seven days whose youngest purchase is as old as label_age: old ones are more complete.
    # Alert when it drops: analysts review honest customers.
    "fraudwatch_quality_precision_ratio": JobMetric(
        StatsdKind.GAUGE, "Frauds among the alerts that an analyst decided", _BY_AGE
    ),
    # Alert when it drops at the largest age.
    "fraudwatch_quality_recall_ratio": JobMetric(
        StatsdKind.GAUGE, "Alerts among the purchases known as fraud", _BY_AGE
    ),
    # Alert when it doubles.
    "fraudwatch_quality_false_positive_ratio": JobMetric(
        StatsdKind.GAUGE, "Alerts among the purchases not known as fraud", _BY_AGE
    ),
    # Alert when it is above 0.25.
    "fraudwatch_drift_psi": JobMetric(
        StatsdKind.GAUGE,
        "Population stability index of a day: of scores and features the largest",
        {"subject": SUBJECTS},
    ),
    # Alert when it is not 0.
    "fraudwatch_drift_features_moved": JobMetric(
        StatsdKind.GAUGE, "Features whose drift is past its bound"
    ),
    # Alert when it is 0 while purchases arrive.
    "fraudwatch_reconcile_compared": JobMetric(
        StatsdKind.GAUGE, "Purchases of the last reconciled day"
    ),
    # Alert when it is above RECONCILE_MOST_DIFFERENT.
    "fraudwatch_reconcile_different": JobMetric(
        StatsdKind.GAUGE, "Differences between stream and batch on the last reconciled day"
    ),
    # Alert when it is not 0: the model was served other features than it is trained on.
    "fraudwatch_features_different": JobMetric(
        StatsdKind.GAUGE, "Purchases of the last reconciled day with different features"
    ),
    # Alert when it is far from 1: below 1 high scores promise too much.
    "fraudwatch_calibration_slope": JobMetric(
        StatsdKind.GAUGE, "Slope of labels on served scores from 0.1 on, past the label delay"
    ),
    # Alert when it rises: the score says less about fraud.
    "fraudwatch_calibration_brier": JobMetric(
        StatsdKind.GAUGE, "Brier score of served scores, past the label delay"
    ),
    # Alert when it is days old: no labels arrive, and quality is unknown.
    "fraudwatch_labels_newest_at_seconds": JobMetric(
        StatsdKind.GAUGE, "When the newest label became known, epoch seconds"
    ),
}


def run_job(job: str, main: Callable[[], int]) -> int:
    """Run a job's main once, send its metrics, and return its exit code."""
    _count_failures(job, 0)  # so that the first failure is an increase
    began, code, is_help = time.monotonic(), 1, False
    try:
        code = main()
    except SystemExit as left:
        is_help = not left.code
        raise
    finally:
        if not is_help:
            _send_run(job, time.monotonic() - began, is_failed=code != 0)
    return code


def is_on() -> bool:
    """Return whether metrics are sent: what is costly to compute is computed only then."""
    return _client() is not None


def send_gauge(name: str, value: float | None, **labels: str) -> None:
    """Send a gauge; an unknown value (None or NaN) is left out.

    Raises:
        ValueError: the metric is not declared, or not with these labels.
    """
    stat = _stat(StatsdKind.GAUGE, name, labels)
    client = _client()
    if client is not None and value is not None and math.isfinite(value):
        client.gauge(stat, float(value))


def send_rows(rows_by_job: Mapping[str, int]) -> None:
    """Send how many rows jobs wrote."""
    for job, rows in rows_by_job.items():
        send_gauge("fraudwatch_job_rows", rows, job=job)


def _send_run(job: str, seconds: float, *, is_failed: bool) -> None:
    stat = _stat(StatsdKind.TIMER, "fraudwatch_job_seconds", {"job": job})
    client = _client()
    if client is not None:
        client.timing(stat, seconds * 1_000)
    _count_failures(job, int(is_failed))
    if not is_failed:
        send_gauge("fraudwatch_job_finished_at_seconds", time.time(), job=job)


def _count_failures(job: str, failures: int) -> None:
    stat = _stat(StatsdKind.COUNTER, "fraudwatch_job_failures", {"job": job})
    client = _client()
    if client is not None:
        client.incr(stat, failures)


def _stat(kind: StatsdKind, name: str, labels: Mapping[str, str]) -> str:
    """Build a name with InfluxDB's tags."""
    metric = JOB_METRICS.get(name)
    if metric is None or metric.kind is not kind or metric.labels.keys() != labels.keys():
        raise ValueError(f"no {kind.name} {name} with the labels {sorted(labels)} is declared")
    for label, value in labels.items():
        if value not in metric.labels[label]:
            raise ValueError(f"{value} is no declared {label} of {name}")
    return name + "".join(f",{label}={value}" for label, value in sorted(labels.items()))


def _client() -> StatsClient | None:
    host = os.environ.get(HOST)
    return _connected(host, os.environ.get(PORT, _DEFAULT_PORT)) if host else None


@cache
def _connected(host: str, port: str) -> StatsClient | None:
    try:
        return StatsClient(host, int(port))
    except (OSError, ValueError) as error:
        log.warning(
            "metrics of this job are not sent (%s=%s, %s=%s: %s); the job runs on",
            HOST, host, PORT, port, error,
        )  # fmt: skip
        return None
