"""Somebody else acts as a known customer: with their password, or on their own device."""

from __future__ import annotations

from collections.abc import Iterator

from shop.campaigns.campaign import SECOND_MS, Scene, Strike, another_city, price, stranger
from shop.merchants import CATEGORY
from shop.people import HOURS, Customer
from shop.plan import MINUTE_MS, MINUTES_PER_HOUR
from shop.purchases import delivery_to
from shop.seeded_random import Chance

_HOUR_MS = MINUTES_PER_HOUR * MINUTE_MS
_CANDIDATES = 16


def account_takeover(scene: Scene, at_ms: int, chance: Chance) -> Iterator[Strike]:
    """A new device, a new delivery address, and 8 to 20 times what the customer usually spends."""
    victim = scene.draw_customer(at_ms, chance)
    thief = stranger(chance) | delivery_to(another_city(victim.home, chance))
    for _ in range(chance.whole(1, 2)):
        category = CATEGORY[chance.among(("electronics", "travel"))]
        facts = scene.till.online(victim, at_ms, category, chance)
        amount = price(victim.usual_eur_cents * chance.between(8, 20), victim)
        yield Strike(facts | thief | amount | {"payment_status": "approved", "item_count": 1})
        at_ms += chance.whole(60, 600) * SECOND_MS


def night_spree(scene: Scene, at_ms: int, chance: Chance) -> Iterator[Strike]:
    """Purchases while the customer sleeps, by remote control of their own device.

    Device and network are the usual ones: the hour and the delivery address tell.
    """
    victim = _sleeper(scene, at_ms, chance)
    address = delivery_to(another_city(victim.home, chance))
    for _ in range(chance.whole(2, 4)):
        category = CATEGORY[chance.among(("digital", "electronics", "fashion"))]
        facts = scene.till.online(victim, at_ms, category, chance)
        amount = price(category.median_eur_cents * victim.level * chance.between(1, 4), victim)
        yield Strike(facts | address | amount | {"payment_status": "approved"})
        at_ms += chance.whole(60, 400) * SECOND_MS


def _sleeper(scene: Scene, at_ms: int, chance: Chance) -> Customer:
    """Somebody who sleeps now: of those who were up half a day before, so nobody yet to come."""
    hour = at_ms // _HOUR_MS % HOURS
    candidates = [
        scene.draw_customer(at_ms - HOURS // 2 * _HOUR_MS, chance) for _ in range(_CANDIDATES)
    ]
    return next(
        (c for c in candidates if c.is_asleep(hour)),
        min(candidates, key=lambda c: c.activity[hour]),
    )
