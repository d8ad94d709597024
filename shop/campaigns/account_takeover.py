"""Account takeover: fraud with a customer's password, or on the customer's own device."""

from __future__ import annotations

from collections.abc import Iterator

from shop.campaigns.campaign import (
    SECOND_MS,
    CampaignContext,
    CampaignPurchase,
    another_city,
    new_device,
    price,
)
from shop.merchants import CATEGORY
from shop.people import HOURS, Customer
from shop.plan import MINUTE_MS, MINUTES_PER_HOUR
from shop.purchases import delivery_to
from shop.seeded_random import SeededRandom

_HOUR_MS = MINUTES_PER_HOUR * MINUTE_MS
_CANDIDATES = 16


def account_takeover(
    context: CampaignContext, at_ms: int, rng: SeededRandom
) -> Iterator[CampaignPurchase]:
    """Generate purchases from a new device to a new address of 8 to 20 times the usual spend."""
    victim = context.draw_customer(at_ms, rng)
    fraudster = new_device(rng) | delivery_to(another_city(victim.home, rng))
    for _ in range(rng.integer(1, 2)):
        category = CATEGORY[rng.choice(("electronics", "travel"))]
        facts = context.checkout.online(victim, at_ms, category, rng)
        amount = price(victim.usual_eur_cents * rng.uniform(8, 20), victim)
        yield CampaignPurchase(
            facts | fraudster | amount | {"payment_status": "approved", "item_count": 1}
        )
        at_ms += rng.integer(60, 600) * SECOND_MS


def night_spree(
    context: CampaignContext, at_ms: int, rng: SeededRandom
) -> Iterator[CampaignPurchase]:
    """Generate purchases while the customer sleeps, by remote control of their own device.

    Device and network are the usual ones: only the hour and the delivery address are unusual.
    """
    victim = _sleeper(context, at_ms, rng)
    address = delivery_to(another_city(victim.home, rng))
    for _ in range(rng.integer(2, 4)):
        category = CATEGORY[rng.choice(("digital", "electronics", "fashion"))]
        facts = context.checkout.online(victim, at_ms, category, rng)
        amount = price(category.median_eur_cents * victim.level * rng.uniform(1, 4), victim)
        yield CampaignPurchase(facts | address | amount | {"payment_status": "approved"})
        at_ms += rng.integer(60, 400) * SECOND_MS


def _sleeper(context: CampaignContext, at_ms: int, rng: SeededRandom) -> Customer:
    """Draw a customer who sleeps now, among those active half a day before."""
    hour = at_ms // _HOUR_MS % HOURS
    candidates = [
        context.draw_customer(at_ms - HOURS // 2 * _HOUR_MS, rng) for _ in range(_CANDIDATES)
    ]
    return next(
        (c for c in candidates if c.is_asleep(hour)),
        min(candidates, key=lambda c: c.activity[hour]),
    )
