"""Generate the shop's purchases as an acquirer receives them: late uploads, no positions, declines.

Everything is a pure function of the plan. The shop's feed is in order of time, and real ones are
not: counters without a connection upload their purchases together, hours later and in no order.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from operator import attrgetter
from typing import Final, NamedTuple

from fraudwatch.domain.time_units import DAY_MS, HOUR_MS, MINUTE_MS
from shop.chargebacks import chargebacks_of
from shop.plan import MINUTES_PER_DAY, Plan
from shop.purchases import Facts
from shop.seeded_random import SeededRandom
from shop.world import World

# Of the counters: market stalls, trains, ships.
OFFLINE_SHARE: Final = 0.1
UPLOAD_EVERY_MS: Final = 8 * HOUR_MS
# Of the uploads: the next day.
MISSED_SHARE: Final = 0.05
UPLOAD_MS: Final = MINUTE_MS
# Of the counters: terminals that send 0, 0 as their position.
WITHOUT_POSITION_SHARE: Final = 0.02
# Of frauds with a present card: declined by the bank.
BANK_DECLINED_SHARE: Final = 0.5
# A day in UTC, as the rates have it; the last day's end.
UNTIL_MINUTE: Final = 20_417 * MINUTES_PER_DAY


class Arrival(NamedTuple):
    """A purchase and its arrival, with the truth about it."""

    facts: Facts
    arrives_ms: int
    is_fraud: bool
    reported_ms: int  # by the card's issuer; 0: never


def plan_of(days: int, *, customers: int, purchases_a_day: int, seed: int) -> Plan:
    """Build the plan of whole days without a sale."""
    return Plan(
        seed=seed,
        customers=customers,
        history_days=days,
        history_purchases=days * purchases_a_day,
        live_purchases_per_second=0.0,
        chargeback_delay_days=3.0,
        live_from_minute=UNTIL_MINUTE,
    )


def arrivals_of(plan: Plan) -> list[Arrival]:
    """Generate the purchases of a plan in the order in which they arrive."""
    return sorted(_purchases(plan), key=attrgetter("arrives_ms"))


def _purchases(plan: Plan) -> Iterator[Arrival]:
    world, counters = World(plan), Counters(plan.seed)
    minutes = range(plan.epoch_minute, plan.live_from_minute)
    for minute in filter(world.count_of_minute, minutes):
        reported = {one.number: one.known_at_ms for one in chargebacks_of(world, minute)}
        purchases = world.purchases_of_minute(minute)
        moments = world.moments_of_minute(minute)
        for number, (facts, (_, is_fraud)) in enumerate(zip(purchases, moments, strict=True)):
            yield Arrival(
                counters.as_sent(facts, is_fraud=is_fraud),
                counters.arrives_ms(facts),
                is_fraud,
                reported.get(number, 0),
            )


class Counters:
    """Decide what the terminals of counters and the bank do to a purchase."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._draw = lru_cache(maxsize=None)(self._drawn)

    def arrives_ms(self, facts: Facts) -> int:
        """Return when a purchase arrives: at once, or with the next upload of its counter."""
        at_ms: int = facts["event_at_ms"]
        merchant = facts["merchant_id"]
        if facts["channel"] != "present" or self._draw("offline", merchant) >= OFFLINE_SHARE:
            return at_ms
        phase_ms = int(self._draw("phase", merchant) * UPLOAD_EVERY_MS)
        upload = (at_ms + phase_ms) // UPLOAD_EVERY_MS + 1
        upload_ms = upload * UPLOAD_EVERY_MS - phase_ms
        if self._draw("missed", merchant, upload) < MISSED_SHARE:
            upload_ms += DAY_MS
        return upload_ms + int(self._draw("sent", facts["id"]) * UPLOAD_MS)

    def as_sent(self, facts: Facts, *, is_fraud: bool) -> Facts:
        """Return the purchase with what its terminal and the bank make of it."""
        if facts["channel"] != "present":
            return facts
        if self._draw("position", facts["merchant_id"]) < WITHOUT_POSITION_SHARE:
            facts = facts | {"purchase_latitude": 0.0, "purchase_longitude": 0.0}
        if is_fraud and self._draw("bank", facts["id"]) < BANK_DECLINED_SHARE:
            facts = facts | {"payment_status": "declined"}
        return facts

    def _drawn(self, *key: object) -> float:
        return SeededRandom(self._seed, *key).random()
