"""Generate the world: every minute of it is a pure function of the plan.

Minutes are independent, so any of them can be generated again, on any machine, in any order.
Therefore the feed is resumable without a database.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from operator import itemgetter

from shop.breaches import Breaches, Sale
from shop.campaigns.campaign import CampaignContext
from shop.merchants import Market
from shop.people import HOURS, Customer, customer_of, newcomer_like
from shop.plan import MINUTE_MS, MINUTES_PER_DAY, MINUTES_PER_HOUR, Plan
from shop.purchases import CheckoutSampler, Facts
from shop.schedule import FRAUD_SHARE, Schedule
from shop.seeded_random import SeededRandom
from shop.trips import Whereabouts


class World:
    """Customers, merchants, trips and campaigns of one plan; newcomers in the sale, too."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._customers = [customer_of(plan.seed, index) for index in range(plan.customers)]
        self._by_activity = [
            list(accumulate(customer.activity[hour] for customer in self._customers))
            for hour in range(HOURS)
        ]
        mean_activity = math.fsum(weights[-1] for weights in self._by_activity) / HOURS
        self._rhythm = [weights[-1] / mean_activity for weights in self._by_activity]
        self._whereabouts = Whereabouts(plan.seed, plan.customers)
        self._checkout = CheckoutSampler(Market(plan.seed))
        self.campaign_context = CampaignContext(
            checkout=self._checkout,
            whereabouts=self._whereabouts,
            draw_customer=self._draw_customer,
            previous_breach=Breaches(plan, self._ordinary).previous,
        )
        self._schedule = Schedule(plan, self.campaign_context)
        self._buyer = lru_cache(maxsize=4 * plan.customers)(self._make_buyer)
        self._ordinary_counts = lru_cache(maxsize=8)(self._ordinary_counts_of_day)

    def purchases_of_minute(self, minute: int) -> list[Facts]:
        """Generate the purchases of one minute in order of time; none before the epoch."""
        if minute < self.plan.epoch_minute:
            return []
        purchases = [facts for _, facts in self._ordinary(minute)]
        purchases += [strike.facts for strike in self._schedule.campaign_purchases_in(minute)]
        purchases.sort(key=itemgetter("event_at_ms"))
        return [{"id": f"{minute}-{n}", **facts} for n, facts in enumerate(purchases)]

    def moments_of_minute(self, minute: int) -> list[tuple[int, bool]]:
        """Generate time and truth (fraud or not) of each purchase of a minute, in order.

        For chargebacks, never served. Much cheaper than generating the purchases.
        """
        if minute < self.plan.epoch_minute:
            return []
        moments = [
            (at_ms, False) for at_ms in self._ordinary_times(minute, self._minute_rng(minute))
        ]
        moments += [(s.at_ms, s.is_fraud) for s in self._schedule.campaign_purchases_in(minute)]
        moments.sort(key=itemgetter(0))
        return moments

    def count_of_minute(self, minute: int) -> int:
        """Count the purchases of a minute without generating them."""
        if minute < self.plan.epoch_minute:
            return 0
        return self._ordinary_count(minute) + len(self._schedule.campaign_purchases_in(minute))

    def _minute_rng(self, minute: int) -> SeededRandom:
        return SeededRandom(self.plan.seed, "minute", minute)

    def _ordinary(self, minute: int) -> Iterator[Sale]:
        rng = self._minute_rng(minute)
        for at_ms in self._ordinary_times(minute, rng):
            customer = self._draw_customer(at_ms, rng)
            where = self._whereabouts.city_of(customer, at_ms)
            yield customer, self._checkout.ordinary(customer, at_ms, where, rng)

    def _ordinary_times(self, minute: int, rng: SeededRandom) -> list[int]:
        """Draw the times before anything else of the minute, so that they can be drawn alone."""
        begins_ms = minute * MINUTE_MS
        return sorted(
            begins_ms + int(rng.random() * MINUTE_MS) for _ in range(self._ordinary_count(minute))
        )

    def _ordinary_count(self, minute: int) -> int:
        day, minute_of_day = divmod(minute, MINUTES_PER_DAY)
        return self._ordinary_counts(day)[minute_of_day]

    def _ordinary_counts_of_day(self, day: int) -> list[int]:
        """Draw the counts of a whole day: seeding a generator costs more than a day of draws."""
        rng = SeededRandom(self.plan.seed, "counts", day)
        minutes = range(day * MINUTES_PER_DAY, (day + 1) * MINUTES_PER_DAY)
        return [rng.poisson(self._mean_ordinary(minute)) for minute in minutes]

    def _mean_ordinary(self, minute: int) -> float:
        mean = self.plan.mean_purchases(minute) * (1 - FRAUD_SHARE)
        if minute >= self.plan.live_from_minute:
            return mean
        return mean * self._rhythm[minute // MINUTES_PER_HOUR % HOURS]

    def _draw_customer(self, at_ms: int, rng: SeededRandom) -> Customer:
        """Draw a customer, weighted by activity at this hour; in the sale mostly a newcomer."""
        weights = self._by_activity[at_ms // (MINUTES_PER_HOUR * MINUTE_MS) % HOURS]
        is_live = at_ms >= self.plan.live_from_minute * MINUTE_MS
        # One draw gives both the crowd and the customer in it.
        crowd, share = divmod(
            rng.random() * (self.plan.live_buyers_per_customer if is_live else 1), 1
        )
        drawn = min(bisect_right(weights, share * weights[-1]), len(weights) - 1)
        return self._buyer(drawn, int(crowd))

    def _make_buyer(self, number: int, crowd: int) -> Customer:
        """Return a customer or, in a later crowd, the newcomer with their habits."""
        customer = self._customers[number]
        if not crowd:
            return customer
        return newcomer_like(customer, self.plan.seed, crowd * len(self._customers) + number)
