"""Shared device: more people buy from it than live behind one screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fraudwatch.domain.rules.rule import Answers, Seen, at_least


@dataclass(frozen=True, slots=True)
class SharedDevice:
    """Hits when more than so many customers used this device in 30 days.

    What is known comes from a risk view: without one, without a device, or on a device that it does
    not know, the answer is unknown.
    """

    name: ClassVar[str] = "shared_device"
    points: int
    more_than_customers_30d: int

    def answer(self, seen: Seen) -> Answers:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        return at_least(seen.feature("device_customers_30d"), self.more_than_customers_30d + 1)

    def sentence(self, seen: Seen, i: int) -> str:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        count = seen.value("device_customers_30d", i)
        return (
            f"{count:,.0f} customers used this device within 30 days; more than "
            f"{self.more_than_customers_30d} is unusual."
        )
