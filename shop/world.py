"""The world: every minute of it is a pure function of the plan.

No minute needs another one, so any of them can be told again, on any machine, in any order. That
is what makes the feed resumable without a database.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from operator import itemgetter

from shop.breaches import Breaches, Sale
from shop.campaigns.campaign import Scene
from shop.merchants import Market
from shop.people import HOURS, Customer, customer_of, newcomer_like
from shop.plan import MINUTE_MS, MINUTES_PER_DAY, MINUTES_PER_HOUR, Plan
from shop.purchases import Facts, Till
from shop.schedule import FRAUD_SHARE, Schedule
from shop.seeded_random import Chance
from shop.trips import Whereabouts


class World:
    """Customers, merchants, trips and campaigns of one plan; in the sale newcomers, too."""

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
        self._till = Till(Market(plan.seed))
        self.scene = Scene(
            till=self._till,
            whereabouts=self._whereabouts,
            draw_customer=self._draw_customer,
            breach_before=Breaches(plan, self._ordinary).before,
        )
        self._schedule = Schedule(plan, self.scene)
        self._buyer = lru_cache(maxsize=4 * plan.customers)(self._told_buyer)
        self._ordinary_counts = lru_cache(maxsize=8)(self._ordinary_counts_of_day)

    def purchases_of_minute(self, minute: int) -> list[Facts]:
        """The purchases of one minute in the order of their time; none before the epoch."""
        if minute < self.plan.epoch_minute:
            return []
        told = [facts for _, facts in self._ordinary(minute)]
        told += [strike.facts for strike in self._schedule.strikes_in(minute)]
        told.sort(key=itemgetter("event_at_ms"))
        return [{"id": f"{minute}-{n}", **facts} for n, facts in enumerate(told)]

    def moments_of_minute(self, minute: int) -> list[tuple[int, bool]]:
        """When each purchase of a minute happens and whether it is planted fraud, in their order.

        For chargebacks, never served. Much cheaper than telling the purchases.
        """
        if minute < self.plan.epoch_minute:
            return []
        moments = [(at_ms, False) for at_ms in self._ordinary_times(minute, self._chance(minute))]
        moments += [(s.at_ms, s.is_fraud) for s in self._schedule.strikes_in(minute)]
        moments.sort(key=itemgetter(0))
        return moments

    def count_of_minute(self, minute: int) -> int:
        """How many purchases a minute has, without telling them."""
        if minute < self.plan.epoch_minute:
            return 0
        return self._ordinary_count(minute) + len(self._schedule.strikes_in(minute))

    def _chance(self, minute: int) -> Chance:
        return Chance(self.plan.seed, "minute", minute)

    def _ordinary(self, minute: int) -> Iterator[Sale]:
        chance = self._chance(minute)
        for at_ms in self._ordinary_times(minute, chance):
            customer = self._draw_customer(at_ms, chance)
            where = self._whereabouts.city_of(customer, at_ms)
            yield customer, self._till.ordinary(customer, at_ms, where, chance)

    def _ordinary_times(self, minute: int, chance: Chance) -> list[int]:
        """Drawn before anything else of the minute, so that they can be known alone."""
        begins_ms = minute * MINUTE_MS
        return sorted(
            begins_ms + int(chance.share() * MINUTE_MS) for _ in range(self._ordinary_count(minute))
        )

    def _ordinary_count(self, minute: int) -> int:
        day, minute_of_day = divmod(minute, MINUTES_PER_DAY)
        return self._ordinary_counts(day)[minute_of_day]

    def _ordinary_counts_of_day(self, day: int) -> list[int]:
        """Drawn for a day at once: seeding a generator costs more than a day of draws."""
        chance = Chance(self.plan.seed, "counts", day)
        minutes = range(day * MINUTES_PER_DAY, (day + 1) * MINUTES_PER_DAY)
        return [chance.count(self._mean_ordinary(minute)) for minute in minutes]

    def _mean_ordinary(self, minute: int) -> float:
        mean = self.plan.mean_purchases(minute) * (1 - FRAUD_SHARE)
        if minute >= self.plan.live_from_minute:
            return mean
        return mean * self._rhythm[minute // MINUTES_PER_HOUR % HOURS]

    def _draw_customer(self, at_ms: int, chance: Chance) -> Customer:
        """Somebody, the likelier the more they buy at this hour; in the sale mostly a newcomer."""
        weights = self._by_activity[at_ms // (MINUTES_PER_HOUR * MINUTE_MS) % HOURS]
        is_live = at_ms >= self.plan.live_from_minute * MINUTE_MS
        # One draw tells both: which crowd, and who of it.
        crowd, share = divmod(
            chance.share() * (self.plan.live_buyers_per_customer if is_live else 1), 1
        )
        drawn = min(bisect_right(weights, share * weights[-1]), len(weights) - 1)
        return self._buyer(drawn, int(crowd))

    def _told_buyer(self, number: int, crowd: int) -> Customer:
        """A customer, or in a later crowd the newcomer who is like them."""
        customer = self._customers[number]
        if not crowd:
            return customer
        return newcomer_like(customer, self.plan.seed, crowd * len(self._customers) + number)
