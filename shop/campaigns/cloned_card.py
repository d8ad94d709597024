"""Cloned card: a copy is used at a counter while the card itself is elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from shop.campaigns.campaign import SECOND_MS, CampaignContext, CampaignPurchase
from shop.merchants import CATEGORY
from shop.places import CITIES, City
from shop.plan import MINUTE_MS
from shop.seeded_random import SeededRandom

_CANDIDATES = 8


def impossible_travel(
    context: CampaignContext, at_ms: int, rng: SeededRandom
) -> Iterator[CampaignPurchase]:
    """Generate a purchase where the owner is, and within the hour others on another continent."""
    candidates = [context.draw_customer(at_ms, rng) for _ in range(_CANDIDATES)]
    victim = next(
        (c for c in candidates if context.whereabouts.city_of(c, at_ms) is c.home), candidates[-1]
    )
    groceries = CATEGORY["groceries"]
    own = context.checkout.in_person(victim, at_ms, groceries, victim.home, rng)
    yield CampaignPurchase(own | {"payment_status": "approved"}, is_fraud=False)
    there = rng.choice(_other_continents(victim.home))
    at_ms += rng.integer(2, 55) * MINUTE_MS
    for _ in range(rng.integer(1, 2)):
        category = CATEGORY[rng.choice(("electronics", "fashion", "restaurants"))]
        facts = context.checkout.in_person(victim, at_ms, category, there, rng)
        yield CampaignPurchase(facts | {"payment_status": "approved"})
        at_ms += rng.integer(60, 300) * SECOND_MS


def _other_continents(home: City) -> tuple[City, ...]:
    return tuple(city for city in CITIES if city.country.continent != home.country.continent)
