"""Apply a policy to a challenger's scores: the combined score, and the alerts a day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.combination import amount_tiebreak, combined
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.training.capacity import Threshold, score_at_capacity


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredPurchases:
    """Recorded scoring results of purchases, beside the challenger's probability."""

    points: Int64s  # of the rules that hit
    anomaly: Float64s  # NaN without such a model
    probability: Float64s  # the challenger's
    eur_cents: Float64s
    day: Int64s


@dataclass(frozen=True, slots=True)
class UnderPolicy:
    """Threshold at the analysts' capacity, and the alerts a day at the policy's threshold."""

    full_from: Threshold
    alerts_from_score: float
    alerts_a_day: float


def under_policy(policy: Policy, purchases: ScoredPurchases, alerts_a_day: int) -> UnderPolicy:
    """Score the purchases as the policy would with the challenger active.

    Lists and the amount that escalates overrule the score without changing it, so they are left
    out here.
    """
    is_anomaly_known = bool(len(purchases.anomaly)) and not np.isnan(purchases.anomaly).any()
    evidence = Evidence(
        anomaly=purchases.anomaly if is_anomaly_known else None, fraud=purchases.probability
    )
    parts = [part.contribution(evidence) for part in policy.parts]
    amounts = np.nan_to_num(purchases.eur_cents).astype(np.int64)
    score = combined(
        purchases.points, *(part for part in parts if part is not None), amount_tiebreak(amounts)
    )
    bound = min(
        (one.from_score for one in policy.levels if one.outcome is not Outcome.APPROVE),
        default=float("inf"),
    )
    days = max(1, len(np.unique(purchases.day)))
    return UnderPolicy(
        score_at_capacity(score, purchases.day, alerts_a_day),
        bound,
        float((score >= bound).sum()) / days,
    )
