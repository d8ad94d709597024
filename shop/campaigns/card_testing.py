"""Payments that fail: a thief finds out what a stolen card is good for."""

from __future__ import annotations

from collections.abc import Iterator

from shop.campaigns.campaign import SECOND_MS, Scene, Strike, another_city, price, stranger
from shop.merchants import CATEGORY
from shop.purchases import delivery_to
from shop.seeded_random import Chance


def card_testing(scene: Scene, at_ms: int, chance: Chance) -> Iterator[Strike]:
    """A run of tiny payments that fail: does the stolen number work at all?"""
    victim = scene.draw_customer(at_ms, chance)
    thief = stranger(chance)
    for _ in range(chance.whole(5, 8)):
        facts = scene.till.online(victim, at_ms, CATEGORY["digital"], chance)
        yield Strike(
            facts
            | thief
            | price(chance.between(50, 400), victim)
            | {"payment_status": chance.among(("failed", "failed", "declined")), "item_count": 1}
        )
        at_ms += chance.whole(5, 25) * SECOND_MS


def failed_payments(scene: Scene, at_ms: int, chance: Chance) -> Iterator[Strike]:
    """One basket tried again and again (wrong security code, not enough money), until it works."""
    victim = scene.draw_customer(at_ms, chance)
    category = CATEGORY[chance.among(("electronics", "fashion", "home"))]
    basket = (
        scene.till.online(victim, at_ms, category, chance)
        | stranger(chance)
        | delivery_to(another_city(victim.home, chance))
        | price(category.median_eur_cents * victim.level * chance.between(1, 3), victim)
    )
    for _ in range(chance.whole(4, 6)):
        status = chance.among(("failed", "declined"))
        yield Strike(basket | {"event_at_ms": at_ms, "payment_status": status})
        at_ms += chance.whole(10, 60) * SECOND_MS
    yield Strike(basket | {"event_at_ms": at_ms, "payment_status": "approved"})
