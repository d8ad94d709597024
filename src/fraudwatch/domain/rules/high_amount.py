"""High amount: one purchase so dear that it deserves a look whoever makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fraudwatch.domain.rules.rule import Answers, Seen, answers


@dataclass(frozen=True, slots=True)
class HighAmount:
    """Hits at or above a fixed amount. The amount is always known, so it never answers unknown."""

    name: ClassVar[str] = "high_amount"
    points: int
    at_least_eur_cents: int

    def answer(self, seen: Seen) -> Answers:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        is_hit = seen.amount_eur_cents >= self.at_least_eur_cents
        return answers(is_hit, np.ones_like(is_hit))

    def sentence(self, seen: Seen, i: int) -> str:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        amount, bound = seen.amount_eur_cents[i] / 100, self.at_least_eur_cents / 100
        return f"{amount:,.2f} EUR in one purchase; from {bound:,.2f} EUR on it is looked at."
