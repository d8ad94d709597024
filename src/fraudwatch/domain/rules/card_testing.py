"""Card testing: small payments that show a thief which stolen card numbers work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fraudwatch.domain.features.catalogue import SMALL_AMOUNT_EUR_CENTS
from fraudwatch.domain.rules.rule import Answers, RuleInput, all_of, at_least, at_most


@dataclass(frozen=True, slots=True)
class CardTesting:
    """Hits on many small attempts within an hour of which several failed, and soon after the last.

    This purchase counts among the small ones if it is small; a large one after them is hit as well,
    because it is what the test was for. Tests follow each other at once, and the card's owner does
    not: a purchase that comes later, or whose time since the last one is unknown, is no hit.
    """

    name: ClassVar[str] = "card_testing"
    points: int
    at_least_small_1h: int
    at_least_failed_1h: int
    at_most_seconds_since_last: int

    def answer(self, inputs: RuleInput) -> Answers:
        is_small = inputs.amount_eur_cents < SMALL_AMOUNT_EUR_CENTS
        return all_of(
            at_least(inputs.feature("small_count_1h") + is_small, self.at_least_small_1h),
            at_least(inputs.feature("failed_count_1h"), self.at_least_failed_1h),
            at_most(inputs.feature("since_last_seconds"), self.at_most_seconds_since_last),
        )

    def sentence(self, inputs: RuleInput, i: int) -> str:
        is_small = bool(inputs.amount_eur_cents[i] < SMALL_AMOUNT_EUR_CENTS)
        small = inputs.value("small_count_1h", i) + is_small
        failed = inputs.value("failed_count_1h", i)
        seconds = inputs.value("since_last_seconds", i)
        return (
            f"In 1 hour {small:.0f} attempts below {SMALL_AMOUNT_EUR_CENTS / 100:.2f} EUR and "
            f"{failed:.0f} failed payments before this one, the last {seconds:,.0f} seconds "
            f"earlier; thresholds {self.at_least_small_1h} and {self.at_least_failed_1h}, "
            f"limit {self.at_most_seconds_since_last} seconds."
        )
