"""Dashboards for analysts and leads: model, pipeline, workload, every merchant and day."""

from __future__ import annotations

from typing import Final

from fraudwatch.reporting.assets import Chart, Dashboard, Kind
from fraudwatch.reporting.data_sets import (
    ALL_COUNTRIES,
    ALL_MERCHANTS,
    BY_HOUR,
    CALIBRATION,
    DRIFT,
    PIPELINE,
    WORKLOAD,
)

MODEL: Final = Dashboard(
    "model-and-calibration",
    "Model and calibration",
    "Whether a probability of fraud of 10 % is fraud once in ten times, and what drifts.",
    (
        (
            Chart(
                "Expected and known frauds by probability",
                Kind.BARS,
                CALIBRATION,
                ("expected_fraud", "known_fraud"),
                axis="probability_from",
                about="Known frauds stay behind until the labels are in",
            ),
            Chart(
                "Calibration by probability",
                Kind.TABLE,
                CALIBRATION,
                ("scored", "expected_ratio", "known_ratio"),
                by=("calibration", "probability_from"),
            ),
        ),
        (
            Chart(
                "Expected and known frauds by day",
                Kind.LINES,
                CALIBRATION,
                ("expected_fraud", "known_fraud"),
                axis="event_on",
            ),
            Chart(
                "Drift of scores, features and ratios",
                Kind.TABLE,
                DRIFT,
                ("drift", "reference", "rows_compared"),
                by=("event_on", "what", "name", "judgement"),
                newest_first=True,
            ),
        ),
    ),
)
PIPELINE_BOARD: Final = Dashboard(
    "pipeline-health",
    "Pipeline health",
    "Whether the figures of a day are complete.",
    (
        (
            Chart(
                "Transactions by origin and day",
                Kind.BARS,
                PIPELINE,
                ("transactions_from_log", "transactions_from_extract"),
                axis="event_on",
                stacked=True,
            ),
            Chart(
                "Missing verdicts and rejected purchases by day",
                Kind.BARS,
                PIPELINE,
                ("missing_verdicts", "purchases_rejected"),
                axis="event_on",
            ),
        ),
        (
            Chart(
                "Days in the lake",
                Kind.TABLE,
                PIPELINE,
                ("verdicts", "missing_verdicts", "minutes_behind"),
                by=("event_on", "jobs_done", "rejected_by_code"),
                newest_first=True,
                width=12,
                height=70,
            ),
        ),
    ),
)
WORKLOAD_BOARD: Final = Dashboard(
    "analysts-workload",
    "Analysts' workload",
    "For leads only.",
    (
        (
            Chart(
                "Decisions by analyst and day",
                Kind.BARS,
                WORKLOAD,
                ("decisions",),
                by=("analyst",),
                axis="known_on",
                stacked=True,
            ),
            Chart(
                "Median minutes to a decision by day",
                Kind.LINES,
                WORKLOAD,
                ("median_minutes",),
                by=("analyst",),
                axis="known_on",
            ),
        ),
        (
            Chart(
                "Analysts by decisions",
                Kind.TABLE,
                WORKLOAD,
                ("decisions", "fraud", "genuine", "unsure", "median_minutes"),
                by=("analyst",),
                width=12,
            ),
        ),
    ),
)
DETAILS: Final = Dashboard(
    "details",
    "Details by day",
    "The marts as they are, cells of few customers too: for analysts, not for export.",
    (
        (
            Chart(
                "Every merchant by day",
                Kind.TABLE,
                ALL_MERCHANTS,
                ("purchases", "customers", "alerts", "known_fraud", "known_fraud_eur"),
                by=("event_on", "source", "merchant_id"),
                newest_first=True,
                width=12,
                height=60,
            ),
        ),
        (
            Chart(
                "Every country by day",
                Kind.TABLE,
                ALL_COUNTRIES,
                ("purchases", "customers", "alerts", "known_fraud"),
                by=("event_on", "source", "merchant_country"),
                newest_first=True,
                width=12,
                height=60,
            ),
        ),
        (
            Chart(
                "Alerts and known frauds by hour, UTC",
                Kind.BARS,
                BY_HOUR,
                ("alerts", "known_fraud"),
                axis="hour_of_day",
                width=12,
            ),
        ),
    ),
)
