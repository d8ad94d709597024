"""Define the scoring policy: rules with points, thresholds of risk levels, lists, model weights.

Points and models become a score in :mod:`fraudwatch.domain.policy.combination`, a document becomes
a policy in :mod:`fraudwatch.domain.policy.document`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fraudwatch.domain.messages.verdict import Outcome, Risk
from fraudwatch.domain.policy.combination import ModelPart
from fraudwatch.domain.rules.lists import ListEntries
from fraudwatch.domain.rules.rule import Rule


class BrokenPolicy(ValueError):
    """Invalid policy document; the text names the place and the reason."""


@dataclass(frozen=True, slots=True)
class Level:
    """Risk level of a score: its threshold, risk, outcome and route.

    A risk has one level, but LOW has two when the policy approves automatically below a score.
    """

    risk: Risk
    from_score: float
    outcome: Outcome
    route: str | None = None  # the queue of a team; None: no queue


@dataclass(frozen=True, slots=True)
class Policy:
    """Scoring policy with its version, rules, and levels in order of severity.

    Three things overrule the score, in this order: an amount from ``critical_from_eur_cents``
    escalates a purchase with a hit or at least MEDIUM to CRITICAL; a purchase on the ``allow`` list
    gets the lowest level, which approves; and a hit of the deny list (a rule) cannot be allowed.
    """

    version: str
    rules: tuple[Rule, ...]
    levels: tuple[Level, ...]
    parts: tuple[ModelPart, ...] = ()
    allow: ListEntries = field(default_factory=ListEntries)
    critical_from_eur_cents: int | None = None

    def lowest(self, risk: Risk) -> int:
        """Return the index of the first level of this risk or a more severe one."""
        severity = list(Risk)
        as_severe = (
            index
            for index, level in enumerate(self.levels)
            if severity.index(level.risk) >= severity.index(risk)
        )
        return next(as_severe, len(self.levels) - 1)
