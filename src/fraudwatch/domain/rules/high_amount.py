"""High amount: a purchase large enough for a review, whatever the customer's history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fraudwatch.domain.rules.rule import Answers, RuleInput, answers


@dataclass(frozen=True, slots=True)
class HighAmount:
    """Hits at or above a fixed amount. The amount is always known, so it never answers unknown."""

    name: ClassVar[str] = "high_amount"
    points: int
    at_least_eur_cents: int

    def answer(self, inputs: RuleInput) -> Answers:
        is_hit = inputs.amount_eur_cents >= self.at_least_eur_cents
        return answers(is_hit, np.ones_like(is_hit))

    def sentence(self, inputs: RuleInput, i: int) -> str:
        amount, bound = inputs.amount_eur_cents[i] / 100, self.at_least_eur_cents / 100
        return f"Amount {amount:,.2f} EUR; threshold {bound:,.2f} EUR."
