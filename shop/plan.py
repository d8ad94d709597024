"""What a world is a function of: its seed, when it goes live, and its sizes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

MINUTE_MS = 60_000
MINUTES_PER_HOUR, MINUTES_PER_DAY = 60, 1_440
LONGEST_DELAY_DAYS = 365
# Raised whenever a change of this package makes another world out of the same numbers.
GENERATION = 3


class ImpossibleWorld(ValueError):
    """The sizes describe a world that cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that decides what happens; minutes count from 1970 in UTC."""

    seed: int
    customers: int
    history_days: int
    history_purchases: int
    live_purchases_per_second: float
    chargeback_delay_days: float
    live_from_minute: int
    generation: int = GENERATION

    def __post_init__(self) -> None:
        if self.customers < 1 or self.history_days < 1:
            raise ImpossibleWorld(
                "a world needs at least one customer and one day of history; raise SHOP_CUSTOMERS "
                "or SHOP_HISTORY_DAYS"
            )
        if self.history_purchases < 0 or self.live_purchases_per_second < 0:
            raise ImpossibleWorld(
                "a number of purchases is negative; correct SHOP_HISTORY_PURCHASES or "
                "SHOP_LIVE_PURCHASES_PER_SECOND"
            )
        if not 0 < self.chargeback_delay_days <= LONGEST_DELAY_DAYS:
            raise ImpossibleWorld(
                "chargebacks come after the purchase, and within a year on average; correct "
                "SHOP_CHARGEBACK_DELAY_DAYS"
            )

    @property
    def epoch_minute(self) -> int:
        """The first minute of history."""
        return self.live_from_minute - self.history_days * MINUTES_PER_DAY

    @property
    def epoch(self) -> str:
        """The first minute of history as ``SHOP_EPOCH`` has it."""
        return f"{datetime.fromtimestamp(self.epoch_minute * 60, UTC):%Y-%m-%dT%H:%MZ}"

    def mean_purchases(self, minute: int) -> float:
        """How many purchases a minute has on average, before the rhythm of the day."""
        if minute >= self.live_from_minute:
            return self.live_purchases_per_second * 60
        return self.history_purchases / (self.history_days * MINUTES_PER_DAY)

    @property
    def live_buyers_per_customer(self) -> int:
        """How many people the sale brings for each customer, that one included.

        A sale is busy because more people come: nobody buys a dozen times as often as before.
        """
        before = self.mean_purchases(self.epoch_minute)
        return max(1, round(self.mean_purchases(self.live_from_minute) / before)) if before else 1
