"""Declare the metrics of the detector: verdicts, latency, load, state."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fraudwatch.domain.messages.verdict import Outcome, Risk
from fraudwatch.observability.catalogue.metric import (
    NEVER_ALONE,
    Kind,
    Label,
    Metric,
    Section,
    Unit,
)

SCORES: Final = (
    0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99,
)  # fmt: skip
PHASES: Final = ("reading", "folding", "looking_up", "judging", "encoding", "publishing")


def rule_names() -> Iterable[str]:
    """Return the names of all rules; the catalogue needs NumPy, which other processes lack."""
    from fraudwatch.domain.rules.catalogue import RULES
    from fraudwatch.domain.rules.lists import DenyList

    return (*RULES, DenyList.name)


DETECTOR: Final = Section(
    "Detector",
    ("detector",),
    "Counted once a micro-batch. What it scores with: the next section.",
    (
        Metric(
            name="fraudwatch_detector_verdicts_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Verdicts acknowledged",
            worry_when="it stops increasing while fraudwatch_ingest_accepted_total does not",
            labels=(Label("risk", tuple(Risk)), Label("outcome", tuple(Outcome))),
        ),
        Metric(
            name="fraudwatch_detector_rule_hits_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Hits by rule; a purchase may have several",
            worry_when="one rule hits many times its usual rate: an attack, or a changed source",
            labels=(Label("rule", rule_names),),
        ),
        Metric(
            name="fraudwatch_detector_verdicts_by_model_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Verdicts by the model whose probability is the score; none: points of rules",
            worry_when="none increases after a model was promoted",
            labels=(Label("model"),),
        ),
        Metric(
            name="fraudwatch_detector_alerts_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Alerts: verdicts that are not approve, as the budget counts them",
            worry_when="a day's increase is far from fraudwatch_detector_alerts_budget_a_day",
        ),
        Metric(
            name="fraudwatch_detector_score",
            kind=Kind.HISTOGRAM,
            unit=Unit.NUMBER,
            meaning="Scores of verdicts, 0 to 1",
            worry_when="its shape changes without a new model: drift",
            buckets=SCORES,
        ),
        Metric(
            name="fraudwatch_detector_repeats_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Repeated transactions and refunds, not folded again",
            worry_when="it grows without a restart of ingest or the source",
        ),
        Metric(
            name="fraudwatch_detector_refunds_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Refunds read from the log; they reduce spend and get no verdict",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="fraudwatch_detector_late_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Late transactions: older than their customer's last, scored all the same",
            worry_when="it is a large share of the verdicts: a terminal or a clock is behind",
        ),
        Metric(
            name="fraudwatch_event_to_verdict_seconds",
            kind=Kind.HISTOGRAM,
            unit=Unit.SECONDS,
            meaning="From ingest's acknowledgement of the transaction to that of its verdict",
            worry_when="p99 is above 0.25",
        ),
        Metric(
            name="fraudwatch_detector_lag_seconds",
            kind=Kind.GAUGE,
            unit=Unit.SECONDS,
            meaning="Age of the last batch's oldest transaction when scoring began",
            worry_when="it is above 1: verdicts are late",
        ),
        Metric(
            name="fraudwatch_detector_behind_messages",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Transactions in Kafka that were not yet in the last trigger",
            worry_when="it grows: the detector cannot follow ingest",
        ),
        Metric(
            name="fraudwatch_detector_judged_until_seconds",
            kind=Kind.GAUGE,
            unit=Unit.EPOCH_SECONDS,
            meaning="When the newest scored transaction was produced",
            worry_when="it is before the current time while ingest is busy",
        ),
        Metric(
            name="fraudwatch_detector_batch_seconds",
            kind=Kind.HISTOGRAM,
            unit=Unit.SECONDS,
            meaning="Time to score a micro-batch",
            worry_when="p99 is above 0.15: latency follows it",
        ),
        Metric(
            name="fraudwatch_detector_seconds_total",
            kind=Kind.COUNTER,
            unit=Unit.SECONDS,
            meaning="Time by phase",
            worry_when="publishing takes nearly all of it: the broker is the bottleneck",
            labels=(Label("phase", PHASES),),
        ),
        Metric(
            name="fraudwatch_detector_trigger_seconds",
            kind=Kind.GAUGE,
            unit=Unit.SECONDS,
            meaning="Time of the last trigger by Spark's own phases, sampled once a second",
            worry_when=NEVER_ALONE,
            labels=(Label("phase"),),
        ),
        Metric(
            name="fraudwatch_detector_customers",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Customers in the state",
            worry_when="it falls by more than the idle ones: the state was lost",
        ),
        Metric(
            name="fraudwatch_detector_state_bytes",
            kind=Kind.GAUGE,
            unit=Unit.BYTES,
            meaning="Memory of the state, reserved rows and pages included",
            worry_when="it comes near the detector's memory limit",
        ),
        Metric(
            name="fraudwatch_detector_snapshot_at_seconds",
            kind=Kind.GAUGE,
            unit=Unit.EPOCH_SECONDS,
            meaning="Time of the newest snapshot; 0 before the first",
            worry_when="it is minutes old under load: a restart folds that much from the log",
        ),
    ),
)
