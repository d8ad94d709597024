"""Define the scoring policy: rules with points and floors, bounds of the score, lists, routes.

Points become a score in :mod:`fraudwatch.domain.policy.combination`, a document becomes a policy in
:mod:`fraudwatch.domain.policy.document`, budgets become bounds in
:mod:`fraudwatch.domain.policy.bounds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fraudwatch.domain.messages.verdict import Outcome, Risk
from fraudwatch.domain.policy.combination import FULL_SCORE_POINTS, AnomalyPart
from fraudwatch.domain.rules.lists import ListEntries
from fraudwatch.domain.rules.rule import Rule

RISKS: Final = tuple(Risk)
OUTCOMES: Final = tuple(Outcome)


class BrokenPolicy(ValueError):
    """Invalid policy document; the text names the place and the reason."""


@dataclass(frozen=True, slots=True)
class Level:
    """Risk level: its route, and the points from which it is reached without a model."""

    risk: Risk
    from_points: int
    route: str | None = None  # the queue of a team; None: no queue


@dataclass(frozen=True, slots=True)
class AlertBudget:
    """Review as many purchases as analysts can work on: the lowest score that keeps within it.

    A shop of few purchases would have all of them reviewed, so the share of purchases is limited
    as well.
    """

    alerts_a_day: float
    share_at_most: float = 0.1


@dataclass(frozen=True, slots=True)
class DeclineLimits:
    """Decline from the lowest score at which both hold on past days; the stricter one decides."""

    precision_at_least: float
    honest_declined_at_most: float


@dataclass(frozen=True, slots=True)
class FixedScore:
    """Bound that is a fixed probability of fraud."""

    from_score: float


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """Share of the purchases that the score alone would decline, which are reviewed instead.

    Only so is it ever known how many of the declined purchases were fraud.
    """

    share: float = 0.0
    salt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Scoring policy with its version, rules, and levels in order of severity.

    With a promoted model the score is its calibrated probability of fraud, unless
    ``scores_by_points``; without one it comes from points. ``floors`` are the least outcome of a
    purchase that a rule hits, whatever its score.
    """

    version: str
    rules: tuple[Rule, ...]
    levels: tuple[Level, ...]  # one for each risk
    floors: Mapping[str, Outcome] = field(default_factory=dict)  # by the rule's name
    anomaly: AnomalyPart | None = None
    scores_by_points: bool = False
    review: AlertBudget | FixedScore = AlertBudget(60)
    challenge: FixedScore | None = None
    decline: DeclineLimits | FixedScore | None = None  # None: no score declines
    novelty_alerts_a_day: float = 0
    control: ControlGroup = ControlGroup()
    allow: ListEntries = field(default_factory=ListEntries)
    deny_points: int = FULL_SCORE_POINTS
    critical_from_eur_cents: int | None = None
