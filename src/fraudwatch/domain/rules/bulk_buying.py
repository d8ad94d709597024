"""Bulk buying: more pieces in one purchase than anybody needs, to be sold on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fraudwatch.domain.rules.rule import Answers, Seen, at_least


@dataclass(frozen=True, slots=True)
class BulkBuying:
    """Hits from a number of pieces on. Sources that do not tell it get unknown."""

    name: ClassVar[str] = "bulk_buying"
    points: int
    at_least_items: int

    def answer(self, seen: Seen) -> Answers:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        return at_least(seen.feature("item_count"), self.at_least_items)

    def sentence(self, seen: Seen, i: int) -> str:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        items = seen.value("item_count", i)
        return f"{items:,.0f} pieces in one purchase; from {self.at_least_items:,} on it is bulk."
