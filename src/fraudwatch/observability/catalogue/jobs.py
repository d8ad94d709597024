"""Declare the metrics that batch jobs send by StatsD."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.catalogue.metric import Kind, Label, Metric, Section, Unit

LABEL_AGES_DAYS: Final = (3, 7, 30)
# StatsD's tags have no escapes: label values are plain words.
_JOB: Final = Label(
    "job",
    (
        "archive_topics", "backtest_policy", "build_features", "build_reports", "build_risk_views",
        "build_states", "check_day", "enforce_retention", "extract_day", "fit_forest",
        "monitor_drift", "reconcile_views", "refill_store", "refine_day", "refine_topics",
        "renew_alert_curve", "train_model",
    ),
)  # fmt: skip
_LABEL_AGE: Final = Label("label_age", tuple(f"{days}d" for days in LABEL_AGES_DAYS))
_SUBJECT: Final = Label("subject", ("score", "alerts", "features"))


JOBS: Final = Section(
    "Batch jobs",
    ("statsd_bridge", "statsd_exporter"),
    "Sent by StatsD, so counters have no _total; a series exists from its first packet on.",
    (
        Metric(
            name="fraudwatch_job_seconds",
            kind=Kind.HISTOGRAM,
            unit=Unit.SECONDS,
            meaning="Time of a run, failed or not",
            worry_when="a run takes as long as its schedule's interval",
            labels=(_JOB,),
        ),
        Metric(
            name="fraudwatch_job_failures",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Runs that ended with an error",
            worry_when="it increases",
            labels=(_JOB,),
        ),
        Metric(
            name="fraudwatch_job_finished_at_seconds",
            kind=Kind.GAUGE,
            unit=Unit.EPOCH_SECONDS,
            meaning="End of the last successful run",
            worry_when="it is older than twice the schedule's interval",
            labels=(_JOB,),
        ),
        Metric(
            name="fraudwatch_job_rows",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Rows that the last run wrote",
            worry_when="it is 0 while purchases arrive",
            labels=(_JOB,),
        ),
        Metric(
            name="fraudwatch_labels_newest_at_seconds",
            kind=Kind.GAUGE,
            unit=Unit.EPOCH_SECONDS,
            meaning="When the newest label became known",
            worry_when="it is days old: no labels arrive, and quality is unknown",
        ),
    ),
)

QUALITY: Final = Section(
    "Quality of verdicts and data",
    ("statsd_bridge", "statsd_exporter"),
    "Sent by batch jobs. Quality is of seven days whose youngest purchase is as old as label_age.",
    (
        Metric(
            name="fraudwatch_quality_precision_ratio",
            kind=Kind.GAUGE,
            unit=Unit.RATIO,
            meaning="Frauds among the alerts that an analyst decided",
            worry_when="it drops: analysts review honest customers",
            labels=(_LABEL_AGE,),
        ),
        Metric(
            name="fraudwatch_quality_recall_ratio",
            kind=Kind.GAUGE,
            unit=Unit.RATIO,
            meaning="Alerts among the purchases known as fraud",
            worry_when="it drops at the largest age",
            labels=(_LABEL_AGE,),
        ),
        Metric(
            name="fraudwatch_quality_false_positive_ratio",
            kind=Kind.GAUGE,
            unit=Unit.RATIO,
            meaning="Alerts among the purchases not known as fraud",
            worry_when="it doubles: honest customers are bothered",
            labels=(_LABEL_AGE,),
        ),
        Metric(
            name="fraudwatch_drift_psi",
            kind=Kind.GAUGE,
            unit=Unit.NUMBER,
            meaning="Population stability index of a day: of scores and features the largest",
            worry_when="it is above 0.25",
            labels=(_SUBJECT,),
        ),
        Metric(
            name="fraudwatch_drift_features_moved",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Features whose drift is past its bound",
            worry_when="it is not 0",
        ),
        Metric(
            name="fraudwatch_reconcile_compared",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Purchases of the last reconciled day",
            worry_when="it is 0 while purchases arrive",
        ),
        Metric(
            name="fraudwatch_reconcile_different",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Differences between stream and batch on the last reconciled day",
            worry_when="it is above RECONCILE_MOST_DIFFERENT",
        ),
        Metric(
            name="fraudwatch_features_different",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Purchases of the last reconciled day with different features",
            worry_when="it is not 0: the model was served other features than it is trained on",
        ),
        Metric(
            name="fraudwatch_calibration_slope",
            kind=Kind.GAUGE,
            unit=Unit.NUMBER,
            meaning="Slope of labels on served scores from 0.1 on, past the label delay",
            worry_when="it is far from 1: below 1 high scores promise too much",
        ),
        Metric(
            name="fraudwatch_calibration_brier",
            kind=Kind.GAUGE,
            unit=Unit.NUMBER,
            meaning="Brier score of served scores, past the label delay",
            worry_when="it rises: the score says less about fraud",
        ),
    ),
)

STATSD_BRIDGE: Final = Section(
    "StatsD bridge",
    ("statsd_bridge",),
    "Its own; the others of its page are of jobs and Airflow.",
    (
        Metric(
            name="statsd_bridge_bad_lines_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="StatsD lines that the bridge refused",
            worry_when=(
                "it increases: a sender and the bridge disagree, and its metrics are missing"
            ),
        ),
    ),
)
