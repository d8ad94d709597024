"""Rapid purchases: too many purchases and attempts by one customer in a short time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fraudwatch.domain.rules.rule import Answers, Seen, answers


@dataclass(frozen=True, slots=True)
class RapidPurchases:
    """Hits when this purchase makes more than ``more_than`` within ten minutes.

    Failed attempts count as well: a thief who tries is as busy as one who succeeds. The counts of a
    customer never seen are zero, so it answers unknown only without features.
    """

    name: ClassVar[str] = "rapid_purchases"
    points: int
    more_than: int

    def answer(self, seen: Seen) -> Answers:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        counts = seen.feature("purchase_count_10m") + seen.feature("failed_count_10m") + 1
        return answers(counts > self.more_than, counts >= 0)

    def sentence(self, seen: Seen, i: int) -> str:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        count = seen.value("purchase_count_10m", i) + seen.value("failed_count_10m", i) + 1
        return (
            f"{count:.0f} purchases or attempts within ten minutes, this one included; "
            f"up to {self.more_than} are usual."
        )
