"""Locate customers: at home, on a trip, or travelling between the two.

A trip is within one week of the customer's own calendar, so each instant is looked up alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from shop.people import Customer
from shop.places import CITIES, City
from shop.seeded_random import SeededRandom

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS
TRIPS_PER_CUSTOMER_AND_WEEK = 0.06
# Customers do not pay at a counter while travelling; a day is enough for genuine travel between
# any two cities to stay below the speed of an airliner.
ON_THE_WAY_MS = DAY_MS


@dataclass(frozen=True, slots=True)
class Trip:
    """A trip: the journey there, the stay, and the journey back."""

    city: City
    leaves_ms: int
    arrives_ms: int
    departs_ms: int
    returns_ms: int


class Whereabouts:
    """Look up the trips of all customers of one world."""

    def __init__(self, seed: int, customers: int) -> None:
        self._seed = seed
        self._trip = lru_cache(maxsize=4 * customers)(self._planned_trip)

    def city_of(self, customer: Customer, at_ms: int) -> City | None:
        """Return the city a customer is in, or None while travelling."""
        shift_ms = customer.habit * (WEEK_MS // 1000)
        trip = self._trip(customer.index, (at_ms + shift_ms) // WEEK_MS, shift_ms)
        if trip is None or not trip.leaves_ms <= at_ms < trip.returns_ms:
            return customer.home
        return trip.city if trip.arrives_ms <= at_ms < trip.departs_ms else None

    def _planned_trip(self, index: int, week: int, shift_ms: int) -> Trip | None:
        rng = SeededRandom(self._seed, "trip", index, week)
        if not rng.happens(TRIPS_PER_CUSTOMER_AND_WEEK):
            return None
        stay_ms = rng.integer(1, 4) * DAY_MS
        spare_ms = WEEK_MS - stay_ms - 2 * ON_THE_WAY_MS
        leaves_ms = week * WEEK_MS - shift_ms + int(rng.random() * spare_ms)
        arrives_ms = leaves_ms + ON_THE_WAY_MS
        return Trip(
            rng.choice(CITIES),
            leaves_ms,
            arrives_ms,
            arrives_ms + stay_ms,
            arrives_ms + stay_ms + ON_THE_WAY_MS,
        )
