"""Bulk buying: many pieces of one product, to be resold."""

from __future__ import annotations

from collections.abc import Iterator

from shop.campaigns.campaign import SECOND_MS, CampaignContext, CampaignPurchase, new_device, price
from shop.merchants import CATEGORY
from shop.places import CITIES
from shop.purchases import delivery_to
from shop.seeded_random import SeededRandom


def bulk_buying(
    context: CampaignContext, at_ms: int, rng: SeededRandom
) -> Iterator[CampaignPurchase]:
    """Generate orders of 40 to 120 pieces, delivered to a forwarder in another country."""
    victim = context.draw_customer(at_ms, rng)
    abroad = [city for city in CITIES if city.country is not victim.home.country]
    fraudster = new_device(rng) | delivery_to(rng.choice(abroad))
    for _ in range(rng.integer(1, 2)):
        category = CATEGORY[rng.choice(("electronics", "fashion", "pharmacy"))]
        facts = context.checkout.online(victim, at_ms, category, rng)
        pieces = rng.integer(40, 120)
        # Goods that are easy to resell are small: vouchers, chargers, perfume.
        worth_eur_cents = pieces * category.median_eur_cents * rng.uniform(0.1, 0.3)
        yield CampaignPurchase(
            facts
            | fraudster
            | price(worth_eur_cents, victim)
            | {"payment_status": "approved", "item_count": pieces}
        )
        at_ms += rng.integer(60, 300) * SECOND_MS
