"""A copy of a card pays at a counter while the card itself is somewhere else."""

from __future__ import annotations

from collections.abc import Iterator

from shop.campaigns.campaign import SECOND_MS, Scene, Strike
from shop.merchants import CATEGORY
from shop.places import CITIES, City
from shop.plan import MINUTE_MS
from shop.seeded_random import Chance

_CANDIDATES = 8


def impossible_travel(scene: Scene, at_ms: int, chance: Chance) -> Iterator[Strike]:
    """The card pays where its owner is, and within the hour on another continent."""
    candidates = [scene.draw_customer(at_ms, chance) for _ in range(_CANDIDATES)]
    victim = next(
        (c for c in candidates if scene.whereabouts.city_of(c, at_ms) is c.home), candidates[-1]
    )
    groceries = CATEGORY["groceries"]
    own = scene.till.in_person(victim, at_ms, groceries, victim.home, chance)
    yield Strike(own | {"payment_status": "approved"}, is_fraud=False)
    there = chance.among(_other_continents(victim.home))
    at_ms += chance.whole(2, 55) * MINUTE_MS
    for _ in range(chance.whole(1, 2)):
        category = CATEGORY[chance.among(("electronics", "fashion", "restaurants"))]
        facts = scene.till.in_person(victim, at_ms, category, there, chance)
        yield Strike(facts | {"payment_status": "approved"})
        at_ms += chance.whole(60, 300) * SECOND_MS


def _other_continents(home: City) -> tuple[City, ...]:
    return tuple(city for city in CITIES if city.country.continent != home.country.continent)
