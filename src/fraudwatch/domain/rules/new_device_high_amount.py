"""New device, high amount: the typical first purchase after an account takeover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fraudwatch.domain.rules.rule import Answers, RuleInput, all_of, answers, at_least


@dataclass(frozen=True, slots=True)
class NewDeviceHighAmount:
    """Hits from an amount when the device is not among the customer's known ones.

    Unknown when the device is, or when no device of the customer is known yet: a first device is
    new to us, not to its owner. A small amount is a miss for any device.
    """

    name: ClassVar[str] = "new_device_high_amount"
    points: int
    at_least_eur_cents: int

    def answer(self, inputs: RuleInput) -> Answers:
        is_large = inputs.amount_eur_cents >= self.at_least_eur_cents
        return all_of(
            at_least(inputs.feature("is_new_device"), 1),
            answers(is_large, np.ones_like(is_large)),
        )

    def sentence(self, inputs: RuleInput, i: int) -> str:
        amount, bound = inputs.amount_eur_cents[i] / 100, self.at_least_eur_cents / 100
        known = inputs.value("known_devices_count", i)
        return (
            f"Amount {amount:,.2f} EUR from a new device (known devices: {known:.0f}); "
            f"threshold {bound:,.2f} EUR."
        )
