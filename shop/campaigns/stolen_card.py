"""Stolen card: used from a new device until it is blocked."""

from __future__ import annotations

from collections.abc import Iterator

from shop.campaigns.campaign import SECOND_MS, CampaignContext, CampaignPurchase, new_device, price
from shop.merchants import CATEGORIES, CATEGORY
from shop.places import CITIES
from shop.purchases import delivery_to
from shop.seeded_random import SeededRandom


def stolen_card(
    context: CampaignContext, at_ms: int, rng: SeededRandom
) -> Iterator[CampaignPurchase]:
    """Generate a few purchases of 5 to 20 times the usual amount, delivered anywhere."""
    victim = context.draw_customer(at_ms, rng)
    fraudster = new_device(rng)
    for _ in range(rng.integer(2, 4)):
        category = CATEGORY[rng.choice(("electronics", "travel", "fashion"))]
        facts = context.checkout.online(victim, at_ms, category, rng)
        usual_eur_cents = category.median_eur_cents * victim.level
        yield CampaignPurchase(
            facts
            | fraudster
            | delivery_to(rng.choice(CITIES))
            | price(usual_eur_cents * rng.uniform(5, 20), victim)
            | {"payment_status": "approved", "item_count": rng.integer(1, 3)}
        )
        at_ms += rng.integer(60, 180) * SECOND_MS


def burst(context: CampaignContext, at_ms: int, rng: SeededRandom) -> Iterator[CampaignPurchase]:
    """Generate 8 to 20 purchases of usual amounts within a few minutes."""
    victim = context.draw_customer(at_ms, rng)
    fraudster = new_device(rng)
    for _ in range(rng.integer(8, 20)):
        facts = context.checkout.online(victim, at_ms, rng.choice(CATEGORIES[-3:]), rng)
        yield CampaignPurchase(facts | fraudster | {"payment_status": "approved"})
        at_ms += rng.integer(3, 15) * SECOND_MS
