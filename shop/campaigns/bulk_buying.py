"""Goods by the dozen, to be sold on."""

from __future__ import annotations

from collections.abc import Iterator

from shop.campaigns.campaign import SECOND_MS, Scene, Strike, price, stranger
from shop.merchants import CATEGORY
from shop.places import CITIES
from shop.purchases import delivery_to
from shop.seeded_random import Chance


def bulk_buying(scene: Scene, at_ms: int, chance: Chance) -> Iterator[Strike]:
    """40 to 120 pieces of one thing, delivered to a forwarder in another country."""
    victim = scene.draw_customer(at_ms, chance)
    abroad = [city for city in CITIES if city.country is not victim.home.country]
    thief = stranger(chance) | delivery_to(chance.among(abroad))
    for _ in range(chance.whole(1, 2)):
        category = CATEGORY[chance.among(("electronics", "fashion", "pharmacy"))]
        facts = scene.till.online(victim, at_ms, category, chance)
        pieces = chance.whole(40, 120)
        # What is sold on easily is small: vouchers, chargers, perfume.
        worth_eur_cents = pieces * category.median_eur_cents * chance.between(0.1, 0.3)
        yield Strike(
            facts
            | thief
            | price(worth_eur_cents, victim)
            | {"payment_status": "approved", "item_count": pieces}
        )
        at_ms += chance.whole(60, 300) * SECOND_MS
