"""Bulk buying: too many items in one purchase, probably for resale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fraudwatch.domain.rules.rule import Answers, RuleInput, at_least


@dataclass(frozen=True, slots=True)
class BulkBuying:
    """Hits from a number of items. Without an item count it answers unknown."""

    name: ClassVar[str] = "bulk_buying"
    points: int
    at_least_items: int

    def answer(self, inputs: RuleInput) -> Answers:
        return at_least(inputs.feature("item_count"), self.at_least_items)

    def sentence(self, inputs: RuleInput, i: int) -> str:
        items = inputs.value("item_count", i)
        return f"{items:,.0f} items in one purchase; threshold {self.at_least_items:,}."
