"""Compute what a policy would make of recorded purchases, with a model's scores or without one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fraudwatch.application.scoring.outcomes import APPROVE, DECLINE, Scored, decide
from fraudwatch.domain.arrays import Bools, Float64s, Int64s
from fraudwatch.domain.calibration.fit_calibration import rule_hits
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.bounds import NO_BOUNDS, Bounds
from fraudwatch.domain.policy.combination import amount_tiebreak, combined
from fraudwatch.domain.policy.policy import AlertBudget, Policy
from fraudwatch.domain.rules.rule import RuleInput


class PolicyInputs(NamedTuple):
    """Records of purchases that a policy decides on, beside a model's score, as columns.

    Rules that hit are those of the archived verdict: one that the policy has only now never hits.
    Lists are not read, so the allow list approves nothing.
    """

    transaction_id: npt.NDArray[np.object_]
    amount_eur_cents: Int64s
    rule_sets: npt.NDArray[np.object_]  # names joined by commas, None where unknown
    anomaly: Float64s  # NaN where unknown

    def part(self, chosen: Bools) -> PolicyInputs:
        """Select some of the purchases."""
        return PolicyInputs(
            transaction_id=self.transaction_id[chosen],
            amount_eur_cents=self.amount_eur_cents[chosen],
            rule_sets=self.rule_sets[chosen],
            anomaly=self.anomaly[chosen],
        )


class FinalOutcomes(NamedTuple):
    """Score and outcome of each purchase."""

    score: Float64s
    is_alert: Bools
    is_score_decline: Bools  # or reviewed instead, as one of the control group


def outcomes_with_model(
    policy: Policy, bounds: Bounds, purchases: PolicyInputs, score: Float64s
) -> FinalOutcomes:
    """Decide purchases by their calibrated scores and the floors of the rules that hit."""
    is_modelled = np.ones(len(score), dtype=np.bool_)
    hits = _hits(policy, purchases)
    return _decided(policy, bounds, purchases, Scored(score, is_modelled, hits))


def outcomes_without_model(policy: Policy, purchases: PolicyInputs) -> FinalOutcomes:
    """Decide purchases by the points of the rules that hit and the anomaly."""
    hits = _hits(policy, purchases)
    points = hits.astype(np.int64) @ np.array([rule.points for rule in policy.rules])
    parts = [amount_tiebreak(purchases.amount_eur_cents)]
    if policy.anomaly is not None:
        contribution = policy.anomaly.contribution(_evidence(purchases))
        parts += [] if contribution is None else [contribution]
    is_modelled = np.zeros(len(points), dtype=np.bool_)
    scored = Scored(combined(points, *parts), is_modelled, hits)
    return _decided(policy, NO_BOUNDS, purchases, scored)


def budget_a_day(policy: Policy, purchases: PolicyInputs, days: int) -> float | None:
    """Return the alerts a day that a policy allows on these days; None without a budget.

    A small shop is limited by the share of its purchases, but floors and novelty come on top.
    """
    if not isinstance(policy.review, AlertBudget):
        return None
    is_floored = _hits(policy, purchases)[:, [rule.name in policy.floors for rule in policy.rules]]
    floors_a_day = int(is_floored.any(axis=1).sum()) / days
    share = policy.review.share_at_most * len(purchases.amount_eur_cents) / days
    return min(policy.review.alerts_a_day, max(share, floors_a_day) + policy.novelty_alerts_a_day)


def _hits(policy: Policy, purchases: PolicyInputs) -> Bools:
    _, hits = rule_hits(purchases.rule_sets, [rule.name for rule in policy.rules])
    return hits


def _evidence(purchases: PolicyInputs) -> Evidence:
    return Evidence(anomaly=np.nan_to_num(purchases.anomaly, nan=0.0))


def _decided(
    policy: Policy, bounds: Bounds, purchases: PolicyInputs, scored: Scored
) -> FinalOutcomes:
    inputs = RuleInput(
        amount_eur_cents=purchases.amount_eur_cents,
        features=np.empty((len(scored.score), 0)),
        transaction_id=purchases.transaction_id.tolist(),
    )
    found = decide(inputs, policy, scored, _evidence(purchases), bounds)
    is_over = scored.is_modelled & (scored.score >= bounds.decline_from)
    return FinalOutcomes(
        scored.score,
        found.outcome != APPROVE,
        is_over & ((found.outcome == DECLINE) | found.is_control),
    )
