"""Panels of *Fraud operations*: is it right."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.dashboards.panels import (
    MUST_BE_0,
    Event,
    Kind,
    Limits,
    Panel,
    Query,
    Row,
    Unit,
)
from fraudwatch.observability.dashboards.promql import increase, last, last_age, rate

_VERDICTS: Final = "fraudwatch_detector_verdicts_total"

_PANELS: Final = (
    Panel(
        title="Precision by age of label",
        normal="Share of alerts that were fraud. Young labels are few: trust the oldest.",
        queries=(Query("{{label_age}}", last("fraudwatch_quality_precision_ratio", "label_age")),),
        unit=Unit.RATIO,
        appears_after=Event.DRIFT,
    ),
    Panel(
        title="Recall by age of label",
        normal="Share of frauds that got an alert.",
        queries=(Query("{{label_age}}", last("fraudwatch_quality_recall_ratio", "label_age")),),
        unit=Unit.RATIO,
        appears_after=Event.DRIFT,
    ),
    Panel(
        title="False-positive rate by age of label",
        normal="Share of genuine purchases that got an alert. Well below one per cent.",
        queries=(
            Query("{{label_age}}", last("fraudwatch_quality_false_positive_ratio", "label_age")),
        ),
        unit=Unit.RATIO,
        appears_after=Event.DRIFT,
    ),
    Panel(
        title="Alerts of a day against the budget",
        normal="The last 24 hours near the budget. No budget line: the policy sets none.",
        queries=(
            Query("alerts in 24 hours", increase("fraudwatch_detector_alerts_total", "1d")),
            Query("budget", "max(fraudwatch_detector_alerts_budget_a_day)"),
        ),
        alerts=("AlertVolumeHigh", "AlertVolumeLow"),
    ),
    Panel(
        title="Verdicts by outcome",
        normal="Nearly all are approved. A jump of declines turns honest customers away.",
        queries=(Query("{{outcome}}", rate(_VERDICTS, "outcome")),),
        unit=Unit.PER_SECOND,
        stacked=True,
    ),
    Panel(
        title="Rules that hit most",
        normal="The ten rules with most hits, and a steady order of them.",
        queries=(
            Query("{{rule}}", f"topk(10, {rate('fraudwatch_detector_rule_hits_total', 'rule')})"),
        ),
        unit=Unit.PER_SECOND,
    ),
    Panel(
        title="Verdicts by model version",
        normal="One version, or `none` before the first model. Two only around a promotion.",
        queries=(Query("{{model}}", rate("fraudwatch_detector_verdicts_by_model_total", "model")),),
        unit=Unit.PER_SECOND,
        stacked=True,
    ),
    Panel(
        title="Bounds of the score",
        normal="Scores from which purchases are reviewed and declined. No line: by no score.",
        queries=(
            Query("reviewed from", "max(fraudwatch_detector_review_from_score)"),
            Query("declined from", "max(fraudwatch_detector_decline_from_score)"),
        ),
    ),
    Panel(
        title="Calibration",
        normal="Slope near 1: above it the scores are too timid, below it too sure. Brier low.",
        queries=(
            Query("slope", last("fraudwatch_calibration_slope")),
            Query("Brier score", last("fraudwatch_calibration_brier")),
        ),
        alerts=("CalibrationOff",),
        appears_after=Event.CALIBRATION,
    ),
    Panel(
        title="Reconciliation: verdicts that differ",
        normal="0: the batch half recomputes a day and finds the same verdicts.",
        queries=(Query("different", last("fraudwatch_reconcile_different")),),
        kind=Kind.NUMBER,
        width=6,
        limits=MUST_BE_0,
        alerts=("ReconciliationDiffers",),
        appears_after=Event.RECONCILIATION,
    ),
    Panel(
        title="Reconciliation: verdicts compared",
        normal="All verdicts of the last reconciled day.",
        queries=(Query("compared", last("fraudwatch_reconcile_compared")),),
        kind=Kind.NUMBER,
        width=6,
        appears_after=Event.RECONCILIATION,
    ),
    Panel(
        title="Served features that differ",
        normal="0: the features of the verdicts are those that the log gives again.",
        queries=(Query("different", last("fraudwatch_features_different")),),
        kind=Kind.NUMBER,
        width=6,
        limits=MUST_BE_0,
        alerts=("FeaturesDiffer",),
        appears_after=Event.RECONCILIATION,
    ),
    Panel(
        title="Age of the newest label",
        normal="Hours. Days mean that banks or analysts no longer report.",
        queries=(Query("newest label", last_age("fraudwatch_labels_newest_at_seconds")),),
        unit=Unit.SECONDS,
        kind=Kind.NUMBER,
        width=6,
        limits=Limits(86_400, 172_800),
        alerts=("LabelFlowStopped",),
        appears_after=Event.REFINEMENT,
    ),
)

RIGHT: Final = Row("Is it right", _PANELS)
