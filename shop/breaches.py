"""Select compromised merchants, at which every card is copied for some days.

The victims are customers who really bought there, so that a comparison of fraud victims finds the
merchant that they have in common (the common point of purchase). The merchant's own purchases are
genuine: copied cards are used elsewhere, in the period after.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from shop.people import Customer
from shop.plan import MINUTE_MS, MINUTES_PER_DAY, Plan
from shop.purchases import Facts
from shop.seeded_random import SeededRandom

PERIOD_MINUTES = 2 * MINUTES_PER_DAY
# Generating purchases is slow: a breach samples its period, however busy that is.
_SAMPLED_MINUTES, _PURCHASES_PER_MINUTE = 360, 10
_CANDIDATE_MERCHANTS = 5
_CACHED_BREACHES = 4

Sale = tuple[Customer, Facts]


@dataclass(frozen=True, slots=True)
class Breach:
    """One merchant whose cards were copied, from ``from_minute`` to before ``until_minute``."""

    merchant_id: str
    from_minute: int
    until_minute: int
    victims: tuple[Customer, ...]


class Breaches:
    """Select one breach in each period of two days, counted from the epoch."""

    def __init__(self, plan: Plan, sales_of_minute: Callable[[int], Iterator[Sale]]) -> None:
        self._plan, self._sales_of_minute = plan, sales_of_minute
        self._breach = lru_cache(maxsize=_CACHED_BREACHES)(self._find_breach)

    def previous(self, at_ms: int) -> Breach | None:
        """Return the breach of the previous period; None in the world's first period."""
        period = (at_ms // MINUTE_MS - self._plan.epoch_minute) // PERIOD_MINUTES - 1
        return self._breach(period) if period >= 0 else None

    def _find_breach(self, period: int) -> Breach | None:
        begins = self._plan.epoch_minute + period * PERIOD_MINUTES
        ends = begins + PERIOD_MINUTES
        victims: defaultdict[str, dict[int, Customer]] = defaultdict(dict)
        for minute in range(begins, ends, PERIOD_MINUTES // _SAMPLED_MINUTES):
            for customer, facts in islice(self._sales_of_minute(minute), _PURCHASES_PER_MINUTE):
                victims[facts["merchant_id"]][customer.index] = customer
        if not victims:
            return None
        largest = sorted(victims, key=lambda merchant_id: (-len(victims[merchant_id]), merchant_id))
        rng = SeededRandom(self._plan.seed, "breach", period)
        merchant_id = rng.choice(largest[:_CANDIDATE_MERCHANTS])
        return Breach(merchant_id, begins, ends, tuple(victims[merchant_id].values()))
