"""Shared device: one device used by too many customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fraudwatch.domain.rules.rule import Answers, RuleInput, at_least


@dataclass(frozen=True, slots=True)
class SharedDevice:
    """Hits when more than a number of customers used this device in 30 days.

    The count comes from a risk view: without a view, without a device, or for a device that is not
    in it, the answer is unknown.
    """

    name: ClassVar[str] = "shared_device"
    points: int
    more_than_customers_30d: int

    def answer(self, inputs: RuleInput) -> Answers:
        return at_least(inputs.feature("device_customers_30d"), self.more_than_customers_30d + 1)

    def sentence(self, inputs: RuleInput, i: int) -> str:
        count = inputs.value("device_customers_30d", i)
        return (
            f"{count:,.0f} customers used this device in 30 days; "
            f"limit {self.more_than_customers_30d}."
        )
