"""Panels of *Streaming*: the detector."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.dashboards.panels import (
    MUST_BE_1,
    Event,
    Kind,
    Limits,
    Panel,
    Query,
    Row,
    Unit,
)
from fraudwatch.observability.dashboards.promql import age, quantile, rate

DETECTOR: Final = Row(
    "Detector",
    (
        Panel(
            title="Verdicts by risk level",
            normal="Steady shares; nearly all LOW.",
            queries=(Query("{{risk}}", rate("fraudwatch_detector_verdicts_total", "risk")),),
            unit=Unit.PER_SECOND,
            stacked=True,
        ),
        Panel(
            title="Time to score a micro-batch",
            normal="p99 far below a second.",
            queries=tuple(
                Query(f"p{share * 100:g}", quantile(share, "fraudwatch_detector_batch_seconds"))
                for share in (0.5, 0.99)
            ),
            unit=Unit.SECONDS,
        ),
        Panel(
            title="Where scoring spends its time",
            normal="Seconds of work a second, below 1 in sum. At 1 the detector is saturated.",
            queries=(Query("{{phase}}", rate("fraudwatch_detector_seconds_total", "phase")),),
            unit=Unit.NUMBER,
            stacked=True,
        ),
        Panel(
            title="Last trigger by phase of Spark",
            normal="addBatch is most of triggerExecution. Others growing: the checkpoint is slow.",
            queries=(Query("{{phase}}", "max by (phase) (fraudwatch_detector_trigger_seconds)"),),
            unit=Unit.SECONDS,
        ),
        Panel(
            title="Transactions not scored yet",
            normal="Less than a second of traffic. Growing: the detector cannot follow ingest.",
            queries=(Query("behind", "max(fraudwatch_detector_behind_messages)"),),
        ),
        Panel(
            title="Age of the oldest transaction of the last batch",
            normal="Below a second.",
            queries=(Query("lag", "max(fraudwatch_detector_lag_seconds)"),),
            unit=Unit.SECONDS,
            limits=Limits(1, 5),
        ),
        Panel(
            title="Age of the newest snapshot",
            normal="Below a minute under traffic: a restart folds what came since.",
            queries=(Query("snapshot", age("fraudwatch_detector_snapshot_at_seconds")),),
            unit=Unit.SECONDS,
            limits=Limits(120, 600),
            alerts=("SnapshotOld",),
            appears_after=Event.SNAPSHOT,
        ),
        Panel(
            title="State",
            normal="About 1 KB a customer; grows with customers, not with time.",
            queries=(Query("bytes", "max(fraudwatch_detector_state_bytes)"),),
            unit=Unit.BYTES,
        ),
        Panel(
            title="Customers in the state",
            normal="Customers with a message in the last 60 days.",
            queries=(Query("customers", "max(fraudwatch_detector_customers)"),),
        ),
        Panel(
            title="Policy, models and views can be used",
            normal="Always yes. No: the file is invalid, and the previous one stays active.",
            queries=(
                Query("policy", "min(fraudwatch_detector_policy_usable)"),
                Query("models", "min(fraudwatch_detector_models_usable)"),
                Query("views", "min(fraudwatch_detector_views_usable)"),
            ),
            unit=Unit.YES_NO,
            kind=Kind.STATES,
            limits=MUST_BE_1,
            alerts=("ArtefactUnusable",),
            width=12,
        ),
        Panel(
            title="Repeated and late transactions",
            normal="Repeats after restarts of ingest only; late ones from offline terminals.",
            queries=(
                Query("repeated", rate("fraudwatch_detector_repeats_total")),
                Query("late", rate("fraudwatch_detector_late_total")),
            ),
            unit=Unit.PER_SECOND,
            width=12,
        ),
    ),
)
