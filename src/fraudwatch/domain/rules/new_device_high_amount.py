"""New device, high amount: what the first purchase of an account thief looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fraudwatch.domain.rules.rule import Answers, Seen, all_of, answers, at_least


@dataclass(frozen=True, slots=True)
class NewDeviceHighAmount:
    """Hits from an amount on when the device is not among the customer's known ones.

    Unknown when the device is, or when no device of the customer is known yet: a first device is
    new to us, not to its owner. A small amount is a miss whatever the device.
    """

    name: ClassVar[str] = "new_device_high_amount"
    points: int
    at_least_eur_cents: int

    def answer(self, seen: Seen) -> Answers:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        is_dear = seen.amount_eur_cents >= self.at_least_eur_cents
        return all_of(
            at_least(seen.feature("is_new_device"), 1), answers(is_dear, np.ones_like(is_dear))
        )

    def sentence(self, seen: Seen, i: int) -> str:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        amount, bound = seen.amount_eur_cents[i] / 100, self.at_least_eur_cents / 100
        known = seen.value("known_devices_count", i)
        return (
            f"{amount:,.2f} EUR from a device that is none of the customer's {known:.0f} known; "
            f"from {bound:,.2f} EUR on that is looked at."
        )
