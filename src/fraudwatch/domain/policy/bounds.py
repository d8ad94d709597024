"""Turn the limits of a policy into bounds of the score, by the curves of past days.

A policy limits what people feel: alerts a day, precision, honest customers declined. Which
probability keeps these limits depends on the model and on the shop, so it is read off the curves
that come with the model's calibration. The same policy and calibration give the same bounds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from fraudwatch.domain.calibration.alert_curve import FloorsAboveBudget
from fraudwatch.domain.calibration.calibration import Calibration
from fraudwatch.domain.policy.policy import AlertBudget, BrokenPolicy, DeclineLimits, Policy

LIKELY_FRAUD: Final = 0.5
"""Score from which a purchase is HIGH: it is more likely fraud than not, so it may be declined."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Scores from which an outcome begins; infinite: no score is enough."""

    review_from: float = math.inf
    challenge_from: float = math.inf
    decline_from: float = math.inf
    novel_from_anomaly: float = math.inf


NO_BOUNDS: Final = Bounds()


def bounds_of(policy: Policy, calibration: Calibration | None) -> Bounds:
    """Return the bounds of the policy under this calibration; infinite ones without a model.

    Where floors alone exceed the budget no score is reviewed; see :func:`check_floors`.
    """
    if calibration is None or policy.scores_by_points:
        return NO_BOUNDS
    decline_from = _decline_from(policy, calibration)
    challenge_from = policy.challenge.from_score if policy.challenge else math.inf
    review_from = min(_review_from(policy, calibration), challenge_from, decline_from)
    return Bounds(
        review_from=review_from,
        challenge_from=challenge_from,
        decline_from=decline_from,
        novel_from_anomaly=_novel_from(policy, calibration),
    )


def check_floors(policy: Policy, calibration: Calibration | None) -> None:
    """Check that the floors of rules leave room in the budget of alerts.

    Raises:
        BrokenPolicy: rules with a floor alone make more alerts a day; the text has the figure.
    """
    if calibration is None or not isinstance(policy.review, AlertBudget):
        return
    by_floors = calibration.alert_curve.floors_a_day(policy.floors.keys())
    if by_floors > policy.review.alerts_a_day:
        raise BrokenPolicy(
            f"rules with a floor alone make {by_floors:.1f} alerts a day and review: alerts_a_day "
            f"is {policy.review.alerts_a_day:g}; take the floor from a rule that hits often "
            f"({', '.join(sorted(policy.floors))}), or raise the budget"
        )


def _review_from(policy: Policy, calibration: Calibration) -> float:
    if not isinstance(policy.review, AlertBudget):
        return policy.review.from_score
    curve, floors = calibration.alert_curve, policy.floors.keys()
    limit = policy.review.share_at_most * curve.alerts_a_day(0.0, frozenset())
    budget = min(policy.review.alerts_a_day - policy.novelty_alerts_a_day, limit)
    try:
        return curve.review_from(budget, floors)
    except FloorsAboveBudget:
        return math.inf


def _decline_from(policy: Policy, calibration: Calibration) -> float:
    if policy.decline is None:
        return math.inf
    if not isinstance(policy.decline, DeclineLimits):
        return policy.decline.from_score
    from_score = calibration.labelled_curve.decline_from(
        policy.decline.precision_at_least, policy.decline.honest_declined_at_most
    )
    # The limits are of all declines together: the purchases just above the bound may be worse.
    return max(from_score, LIKELY_FRAUD)


def _novel_from(policy: Policy, calibration: Calibration) -> float:
    if not policy.novelty_alerts_a_day or calibration.novelty_curve is None:
        return math.inf
    return calibration.novelty_curve.anomaly_from(policy.novelty_alerts_a_day)
