"""The cards of one merchant's customers were copied, and are used elsewhere days later."""

from __future__ import annotations

from collections.abc import Iterator

from shop.campaigns.campaign import SECOND_MS, Scene, Strike, price, stranger
from shop.campaigns.stolen_card import stolen_card
from shop.merchants import CATEGORY
from shop.places import CITIES
from shop.purchases import delivery_to
from shop.seeded_random import Chance


def compromised_merchant(scene: Scene, at_ms: int, chance: Chance) -> Iterator[Strike]:
    """One victim of the breach before; the merchant that they have in common is clean itself.

    Before the world's first breach a card is stolen some other way.
    """
    breach = scene.breach_before(at_ms)
    if breach is None:
        yield from stolen_card(scene, at_ms, chance)
        return
    victim = chance.among(breach.victims)
    thief = stranger(chance) | delivery_to(chance.among(CITIES))
    for _ in range(chance.whole(1, 2)):
        category = CATEGORY[chance.among(("electronics", "travel", "fashion"))]
        facts = scene.till.online(victim, at_ms, category, chance)
        while facts["merchant_id"] == breach.merchant_id:
            facts = scene.till.online(victim, at_ms, category, chance)
        amount = price(category.median_eur_cents * victim.level * chance.between(2, 6), victim)
        yield Strike(facts | thief | amount | {"payment_status": "approved"})
        at_ms += chance.whole(60, 900) * SECOND_MS
