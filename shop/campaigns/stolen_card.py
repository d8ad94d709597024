"""A stolen card, used by a stranger until it is blocked."""

from __future__ import annotations

from collections.abc import Iterator

from shop.campaigns.campaign import SECOND_MS, Scene, Strike, price, stranger
from shop.merchants import CATEGORIES, CATEGORY
from shop.places import CITIES
from shop.purchases import delivery_to
from shop.seeded_random import Chance


def stolen_card(scene: Scene, at_ms: int, chance: Chance) -> Iterator[Strike]:
    """A few purchases of 5 to 20 times the usual amount, delivered anywhere in the world."""
    victim = scene.draw_customer(at_ms, chance)
    thief = stranger(chance)
    for _ in range(chance.whole(2, 4)):
        category = CATEGORY[chance.among(("electronics", "travel", "fashion"))]
        facts = scene.till.online(victim, at_ms, category, chance)
        usual_eur_cents = category.median_eur_cents * victim.level
        yield Strike(
            facts
            | thief
            | delivery_to(chance.among(CITIES))
            | price(usual_eur_cents * chance.between(5, 20), victim)
            | {"payment_status": "approved", "item_count": chance.whole(1, 3)}
        )
        at_ms += chance.whole(60, 180) * SECOND_MS


def burst(scene: Scene, at_ms: int, chance: Chance) -> Iterator[Strike]:
    """8 to 20 purchases of usual amounts within a few minutes, before the card is blocked."""
    victim = scene.draw_customer(at_ms, chance)
    thief = stranger(chance)
    for _ in range(chance.whole(8, 20)):
        facts = scene.till.online(victim, at_ms, chance.among(CATEGORIES[-3:]), chance)
        yield Strike(facts | thief | {"payment_status": "approved"})
        at_ms += chance.whole(3, 15) * SECOND_MS
