"""What a policy would make of a challenger: the score that analysts see, and how many alerts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudwatch.domain.evaluation.labelled_scores import Floats, Integers
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.combination import combined, stake
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.training.capacity import Threshold, score_at_capacity


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What was said of purchases when they were judged; the challenger's word beside it."""

    points: Integers  # of the rules that hit
    anomaly: Floats  # NaN where no such model was in use
    probability: Floats  # the challenger's
    eur_cents: Floats
    day: Integers


@dataclass(frozen=True, slots=True)
class UnderPolicy:
    """From which score on the analysts' day is full, and how full today's bound makes it."""

    full_from: Threshold
    alerts_from_score: float
    alerts_a_day: float


def under_policy(policy: Policy, said: Answered, alerts_a_day: int) -> UnderPolicy:
    """Score the purchases as the policy would with the challenger in use.

    Lists and the bound on amounts stand over the score and are left out here: they do not move it.
    """
    is_anomaly_known = bool(len(said.anomaly)) and not np.isnan(said.anomaly).any()
    evidence = Evidence(anomaly=said.anomaly if is_anomaly_known else None, fraud=said.probability)
    parts = [part.contribution(evidence) for part in policy.parts]
    amounts = np.nan_to_num(said.eur_cents).astype(np.int64)
    score = combined(said.points, *(part for part in parts if part is not None), stake(amounts))
    bound = min(
        (one.from_score for one in policy.levels if one.outcome is not Outcome.APPROVE),
        default=float("inf"),
    )
    days = max(1, len(np.unique(said.day)))
    return UnderPolicy(
        score_at_capacity(score, said.day, alerts_a_day),
        bound,
        float((score >= bound).sum()) / days,
    )
