"""Card testing: failed payments by which a fraudster checks a stolen card."""

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
from shop.purchases import delivery_to
from shop.seeded_random import SeededRandom


def card_testing(
    context: CampaignContext, at_ms: int, rng: SeededRandom
) -> Iterator[CampaignPurchase]:
    """Generate small payments that fail, to test whether the card number works."""
    victim = context.draw_customer(at_ms, rng)
    fraudster = new_device(rng)
    for _ in range(rng.integer(5, 8)):
        facts = context.checkout.online(victim, at_ms, CATEGORY["digital"], rng)
        yield CampaignPurchase(
            facts
            | fraudster
            | price(rng.uniform(50, 400), victim)
            | {"payment_status": rng.choice(("failed", "failed", "declined")), "item_count": 1}
        )
        at_ms += rng.integer(5, 25) * SECOND_MS


def failed_payments(
    context: CampaignContext, at_ms: int, rng: SeededRandom
) -> Iterator[CampaignPurchase]:
    """Generate repeated failures of one basket (wrong code, no funds) until it is approved."""
    victim = context.draw_customer(at_ms, rng)
    category = CATEGORY[rng.choice(("electronics", "fashion", "home"))]
    basket = (
        context.checkout.online(victim, at_ms, category, rng)
        | new_device(rng)
        | delivery_to(another_city(victim.home, rng))
        | price(category.median_eur_cents * victim.level * rng.uniform(1, 3), victim)
    )
    for _ in range(rng.integer(4, 6)):
        status = rng.choice(("failed", "declined"))
        yield CampaignPurchase(basket | {"event_at_ms": at_ms, "payment_status": status})
        at_ms += rng.integer(10, 60) * SECOND_MS
    yield CampaignPurchase(basket | {"event_at_ms": at_ms, "payment_status": "approved"})
