"""A policy: which rules count how much, and from which score on a purchase is what.

How points and models become a score: :mod:`fraudwatch.domain.policy.combination`. How a document
becomes a policy: :mod:`fraudwatch.domain.policy.document`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fraudwatch.domain.messages.verdict import Outcome, Risk
from fraudwatch.domain.policy.combination import ModelPart
from fraudwatch.domain.rules.lists import Listed
from fraudwatch.domain.rules.rule import Rule


class BrokenPolicy(ValueError):
    """A policy document that may not be used; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Level:
    """One step of the score: from where on, which risk, what is done, and who looks at it.

    A risk has one step, but LOW has two when the policy approves by itself what is below a score.
    """

    risk: Risk
    from_score: float
    outcome: Outcome
    route: str | None = None  # the queue of a team; None: no queue is named


@dataclass(frozen=True, slots=True)
class Policy:
    """A version, its rules, and its levels from harmless to grave.

    Three things stand over the score, in this order: from ``critical_from_eur_cents`` on a purchase
    that anything speaks against is CRITICAL; what ``allow`` lists gets the lowest level, which
    approves; and what the deny list (a rule) hits cannot be allowed.
    """

    version: str
    rules: tuple[Rule, ...]
    levels: tuple[Level, ...]
    parts: tuple[ModelPart, ...] = ()
    allow: Listed = field(default_factory=Listed)
    critical_from_eur_cents: int | None = None

    def lowest(self, risk: Risk) -> int:
        """The place of the first level of this risk or a graver one."""
        gravity = list(Risk)
        graver = (
            place
            for place, level in enumerate(self.levels)
            if gravity.index(level.risk) >= gravity.index(risk)
        )
        return next(graver, len(self.levels) - 1)
