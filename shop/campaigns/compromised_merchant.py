"""Compromised merchant: cards copied at one merchant are used elsewhere days later."""

from __future__ import annotations

from collections.abc import Iterator

from shop.campaigns.campaign import SECOND_MS, CampaignContext, CampaignPurchase, new_device, price
from shop.campaigns.stolen_card import stolen_card
from shop.merchants import CATEGORY
from shop.places import CITIES
from shop.purchases import delivery_to
from shop.seeded_random import SeededRandom


def compromised_merchant(
    context: CampaignContext, at_ms: int, rng: SeededRandom
) -> Iterator[CampaignPurchase]:
    """Generate fraud on one victim of the previous breach, at other merchants than that one.

    Before the world's first breach it is a stolen card instead.
    """
    breach = context.previous_breach(at_ms)
    if breach is None:
        yield from stolen_card(context, at_ms, rng)
        return
    victim = rng.choice(breach.victims)
    fraudster = new_device(rng) | delivery_to(rng.choice(CITIES))
    for _ in range(rng.integer(1, 2)):
        category = CATEGORY[rng.choice(("electronics", "travel", "fashion"))]
        facts = context.checkout.online(victim, at_ms, category, rng)
        while facts["merchant_id"] == breach.merchant_id:
            facts = context.checkout.online(victim, at_ms, category, rng)
        amount = price(category.median_eur_cents * victim.level * rng.uniform(2, 6), victim)
        yield CampaignPurchase(facts | fraudster | amount | {"payment_status": "approved"})
        at_ms += rng.integer(60, 900) * SECOND_MS
