"""Card testing: small payments tell a thief which stolen numbers work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fraudwatch.domain.features.catalogue import SMALL_AMOUNT_EUR_CENTS
from fraudwatch.domain.rules.rule import Answers, Seen, all_of, at_least


@dataclass(frozen=True, slots=True)
class CardTesting:
    """Hits on many small attempts within an hour of which several failed.

    This purchase counts among the small ones if it is; a dear one after them is hit as well, being
    what the test was for. Counts start at zero, so it answers unknown only without features.
    """

    name: ClassVar[str] = "card_testing"
    points: int
    at_least_small_1h: int
    at_least_failed_1h: int

    def answer(self, seen: Seen) -> Answers:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        is_small = seen.amount_eur_cents < SMALL_AMOUNT_EUR_CENTS
        return all_of(
            at_least(seen.feature("small_count_1h") + is_small, self.at_least_small_1h),
            at_least(seen.feature("failed_count_1h"), self.at_least_failed_1h),
        )

    def sentence(self, seen: Seen, i: int) -> str:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        is_small = bool(seen.amount_eur_cents[i] < SMALL_AMOUNT_EUR_CENTS)
        small = seen.value("small_count_1h", i) + is_small
        failed = seen.value("failed_count_1h", i)
        return (
            f"{small:.0f} attempts below {SMALL_AMOUNT_EUR_CENTS / 100:.2f} EUR within an hour, "
            f"and {failed:.0f} payments failed before this one; {self.at_least_small_1h} and "
            f"{self.at_least_failed_1h} look like a card being tested."
        )
