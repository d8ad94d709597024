"""Count scored micro-batches in metrics: verdicts, rule hits, alerts, scores, latencies.

One update a batch and series, never one a purchase: at tens of thousands of purchases a second
those would cost more than the scoring.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from fraudwatch.application.scoring.assess import Assessment
from fraudwatch.application.scoring.outcomes import APPROVE
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.messages.verdict import Mode
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.policy.policy import OUTCOMES, RISKS, AlertBudget, Policy
from fraudwatch.domain.rules.rule import HIT
from fraudwatch.observability.batch_histogram import BatchHistogram
from fraudwatch.observability.metrics import batch_histogram, counter, gauge

NO_MODEL: Final = "none"

_verdicts = counter("fraudwatch_detector_verdicts")
_rule_hits = counter("fraudwatch_detector_rule_hits")
_by_model = counter("fraudwatch_detector_verdicts_by_model")
_alerts = counter("fraudwatch_detector_alerts")
_scores = batch_histogram("fraudwatch_detector_score")
_event_to_verdict = batch_histogram("fraudwatch_event_to_verdict_seconds")
_budget = gauge("fraudwatch_detector_alerts_budget_a_day")

_CELLS: Final = [_verdicts.labels(risk, outcome) for risk in RISKS for outcome in OUTCOMES]


def count_verdicts(result: Assessment, policy: Policy, models: ActiveModels) -> None:
    """Count the acknowledged verdicts of a batch; an alert is one that is not approved."""
    cells = np.bincount(result.level * len(OUTCOMES) + result.outcome, minlength=len(_CELLS))
    for cell in np.flatnonzero(cells).tolist():
        _CELLS[cell].inc(int(cells[cell]))
    hits = np.count_nonzero(result.answers == HIT, axis=0)
    for place in np.flatnonzero(hits).tolist():
        _rule_hits.labels(policy.rules[place].name).inc(int(hits[place]))
    model = models.model_version if result.mode is Mode.WITH_MODEL else None
    _by_model.labels(model or NO_MODEL).inc(len(result.score))
    _alerts.inc(int(np.count_nonzero(result.outcome != APPROVE)))
    _add(_scores, result.score)


def count_latencies(seconds: Float64s) -> None:
    """Count the latencies of a batch's verdicts."""
    # Two clocks of one machine may differ slightly.
    _add(_event_to_verdict, np.maximum(0.0, seconds))


def set_budget(policy: Policy) -> None:
    """Export the alerts a day that the policy allows; NaN where it has a fixed score instead."""
    review = policy.review
    _budget.set(review.alerts_a_day if isinstance(review, AlertBudget) else math.nan)


def _add(histogram: BatchHistogram, values: Float64s) -> None:
    places = np.searchsorted(histogram.bounds, values)
    counts = np.bincount(places, minlength=len(histogram.bounds) + 1)
    histogram.add(counts.tolist(), float(values.sum()))
