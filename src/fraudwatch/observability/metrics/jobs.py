"""Declare the metrics that batch jobs send through StatsD."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.metrics.metric import Kind, Label, Metric, Section, Unit

LABEL_AGES: Final = ("3d", "7d", "30d")

JOBS: Final = Section(
    "Batch jobs",
    ("statsd_bridge", "statsd_exporter"),
    "Sent through StatsD, so counters have no _total. They exist from a job's first run on.",
    (
        Metric(
            name="fraudwatch_job_seconds",
            kind=Kind.HISTOGRAM,
            unit=Unit.SECONDS,
            meaning="Time of a job's run",
            worry_when="it nears the interval at which the job runs",
            labels=(Label("job"),),
        ),
        Metric(
            name="fraudwatch_job_failures",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Runs that failed",
            worry_when="it increases",
            labels=(Label("job"),),
        ),
        Metric(
            name="fraudwatch_job_finished_at_seconds",
            kind=Kind.GAUGE,
            unit=Unit.EPOCH_SECONDS,
            meaning="When the job last succeeded",
            worry_when="it is older than two of its intervals",
            labels=(Label("job"),),
        ),
        Metric(
            name="fraudwatch_job_rows",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Rows that the last run wrote",
            worry_when="it is 0, or far from its usual number",
            labels=(Label("job"),),
        ),
        Metric(
            name="fraudwatch_labels_newest_at_seconds",
            kind=Kind.GAUGE,
            unit=Unit.EPOCH_SECONDS,
            meaning="When the newest label became known",
            worry_when="it is days old: the label flow has stopped",
        ),
        Metric(
            name="statsd_bridge_bad_lines_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="StatsD lines that could not be parsed",
            worry_when="it increases: a sender has another format",
        ),
    ),
)

QUALITY: Final = Section(
    "Quality of verdicts and data",
    ("statsd_bridge", "statsd_exporter"),
    "From the nightly and hourly checks.",
    (
        Metric(
            name="fraudwatch_quality_precision_ratio",
            kind=Kind.GAUGE,
            unit=Unit.RATIO,
            meaning="Share of alerts that were fraud, by the age of the labels",
            worry_when="it falls below half of what training measured",
            labels=(Label("label_age", LABEL_AGES),),
        ),
        Metric(
            name="fraudwatch_quality_recall_ratio",
            kind=Kind.GAUGE,
            unit=Unit.RATIO,
            meaning="Share of frauds that were alerts, by the age of the labels",
            worry_when="it falls below half of what training measured",
            labels=(Label("label_age", LABEL_AGES),),
        ),
        Metric(
            name="fraudwatch_quality_false_positive_ratio",
            kind=Kind.GAUGE,
            unit=Unit.RATIO,
            meaning="Share of genuine purchases that were alerts, by the age of the labels",
            worry_when="it doubles: honest customers are bothered",
            labels=(Label("label_age", LABEL_AGES),),
        ),
        Metric(
            name="fraudwatch_drift_psi",
            kind=Kind.GAUGE,
            unit=Unit.NUMBER,
            meaning=(
                "Population stability index against the reference days: score, alerts, or the "
                "worst of the features"
            ),
            worry_when="it is above 0.25",
            labels=(Label("subject"),),
        ),
        Metric(
            name="fraudwatch_drift_features_moved",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Features whose distribution has moved",
            worry_when="it is not 0 for days",
        ),
        Metric(
            name="fraudwatch_reconcile_compared",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Verdicts that the last reconciliation scored again",
            worry_when="it is 0: nothing was checked",
        ),
        Metric(
            name="fraudwatch_reconcile_different",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Verdicts that came out different",
            worry_when="it is not 0: stream and batch disagree",
        ),
        Metric(
            name="fraudwatch_features_different",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Served feature vectors that differ from the batch's",
            worry_when="it is not 0: train/serve skew",
        ),
        Metric(
            name="fraudwatch_calibration_slope",
            kind=Kind.GAUGE,
            unit=Unit.NUMBER,
            meaning="Slope of outcomes over scores; 1 is calibrated",
            worry_when="it is outside 0.7 to 1.4",
        ),
        Metric(
            name="fraudwatch_calibration_brier",
            kind=Kind.GAUGE,
            unit=Unit.NUMBER,
            meaning="Brier score of the probabilities",
            worry_when="it is above that of the base rate",
        ),
    ),
)
