"""Plan of a world, which is a pure function of it: seed, start of the live time, sizes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

MINUTE_MS = 60_000
MINUTES_PER_HOUR, MINUTES_PER_DAY = 60, 1_440
LONGEST_DELAY_DAYS = 365
# Increased whenever a change of this package makes another world of the same plan.
GENERATION = 3


class InvalidPlan(ValueError):
    """The settings describe an impossible world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a world depends on; minutes count from 1970 in UTC."""

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
            raise InvalidPlan(
                "a world needs at least one customer and one day of history; increase "
                "SHOP_CUSTOMERS or SHOP_HISTORY_DAYS"
            )
        if self.history_purchases < 0 or self.live_purchases_per_second < 0:
            raise InvalidPlan(
                "a number of purchases is negative; correct SHOP_HISTORY_PURCHASES or "
                "SHOP_LIVE_PURCHASES_PER_SECOND"
            )
        if not 0 < self.chargeback_delay_days <= LONGEST_DELAY_DAYS:
            raise InvalidPlan(
                "the mean delay of chargebacks must be above 0 and at most "
                f"{LONGEST_DELAY_DAYS} days; correct SHOP_CHARGEBACK_DELAY_DAYS"
            )

    @property
    def epoch_minute(self) -> int:
        """Compute the first minute of the history."""
        return self.live_from_minute - self.history_days * MINUTES_PER_DAY

    @property
    def epoch(self) -> str:
        """Format the first minute of the history as in ``SHOP_EPOCH``."""
        return f"{datetime.fromtimestamp(self.epoch_minute * 60, UTC):%Y-%m-%dT%H:%MZ}"

    def mean_purchases(self, minute: int) -> float:
        """Compute the mean purchases of a minute, without the daily rhythm."""
        if minute >= self.live_from_minute:
            return self.live_purchases_per_second * 60
        return self.history_purchases / (self.history_days * MINUTES_PER_DAY)

    @property
    def live_buyers_per_customer(self) -> int:
        """Compute the number of buyers in the sale for each customer, that one included.

        The sale is busy because of more buyers: none of them buys a dozen times as often as before.
        """
        before = self.mean_purchases(self.epoch_minute)
        return max(1, round(self.mean_purchases(self.live_from_minute) / before)) if before else 1
