"""The fraud that is planted: which campaign strikes whom, when and how.

Thin on purpose: four patterns that a person recognises at a glance. Campaigns are dealt from a
fixed order, one per slot of time, so that all four show within minutes of a demonstration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shop.chance import Chance
from shop.merchants import CATEGORIES, CATEGORY
from shop.people import Customer
from shop.places import CITIES, City, minor_units
from shop.plan import MINUTE_MS
from shop.purchases import Facts, Till, delivery_to
from shop.trips import Whereabouts

SECOND_MS = 1_000
# No campaign lasts longer: whoever looks for what strikes a minute looks back no further.
LONGEST_CAMPAIGN_MS = 75 * MINUTE_MS
CANDIDATES = 8


@dataclass(frozen=True, slots=True)
class Strike:
    """One purchase of a campaign; the victim's own purchase that sets a trap is not fraud."""

    facts: Facts
    is_fraud: bool = True

    @property
    def at_ms(self) -> int:
        """When it happens."""
        at_ms: int = self.facts["event_at_ms"]
        return at_ms


@dataclass(frozen=True, slots=True)
class Scene:
    """What a campaign is staged with."""

    till: Till
    whereabouts: Whereabouts
    draw_customer: Callable[[int, Chance], Customer]


def stolen_card(scene: Scene, at_ms: int, chance: Chance) -> Iterator[Strike]:
    """A few purchases of 5 to 20 times the usual amount, from a device never seen before."""
    victim = scene.draw_customer(at_ms, chance)
    thief = _thief(chance)
    for _ in range(chance.whole(2, 4)):
        category = CATEGORY[chance.among(("electronics", "travel", "fashion"))]
        facts = scene.till.online(victim, at_ms, category, chance)
        usual_eur_cents = category.median_eur_cents * victim.level
        amount = minor_units(usual_eur_cents * chance.between(5, 20), victim.home.country)
        yield Strike(
            facts
            | thief
            | delivery_to(chance.among(CITIES))
            | {"amount_minor": amount, "currency": victim.home.country.currency}
            | {"payment_status": "approved", "item_count": chance.whole(1, 3)}
        )
        at_ms += chance.whole(60, 180) * SECOND_MS


def burst(scene: Scene, at_ms: int, chance: Chance) -> Iterator[Strike]:
    """8 to 20 purchases within a few minutes: an account taken over and emptied."""
    victim = scene.draw_customer(at_ms, chance)
    thief = _thief(chance)
    for _ in range(chance.whole(8, 20)):
        facts = scene.till.online(victim, at_ms, chance.among(CATEGORIES[-3:]), chance)
        yield Strike(facts | thief | {"payment_status": "approved"})
        at_ms += chance.whole(3, 15) * SECOND_MS


def impossible_travel(scene: Scene, at_ms: int, chance: Chance) -> Iterator[Strike]:
    """The card pays where its owner is, and within the hour on another continent."""
    candidates = [scene.draw_customer(at_ms, chance) for _ in range(CANDIDATES)]
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


def card_testing(scene: Scene, at_ms: int, chance: Chance) -> Iterator[Strike]:
    """A run of small payments that fail: somebody finds out whether a stolen number works."""
    victim = scene.draw_customer(at_ms, chance)
    thief = _thief(chance)
    for _ in range(chance.whole(5, 8)):
        facts = scene.till.online(victim, at_ms, CATEGORY["digital"], chance)
        amount = minor_units(chance.between(50, 400), victim.home.country)
        yield Strike(
            facts
            | thief
            | {"amount_minor": amount, "currency": victim.home.country.currency}
            | {"payment_status": chance.among(("failed", "failed", "declined")), "item_count": 1}
        )
        at_ms += chance.whole(5, 25) * SECOND_MS


@dataclass(frozen=True, slots=True)
class Pattern:
    """A kind of campaign and how many frauds it makes on average."""

    stage: Callable[[Scene, int, Chance], Iterator[Strike]]
    mean_frauds: float


_S, _B = Pattern(stolen_card, 3.0), Pattern(burst, 14.0)
_T, _C = Pattern(impossible_travel, 1.5), Pattern(card_testing, 6.5)
# The order in which patterns are dealt, over and over: all four first, then mostly the quiet ones,
# which leave room for more campaigns within the same share of fraud.
DECK = (_S, _B, _T, _C, *(_S, _T, _S) * 3, _C, *(_S, _T, _S) * 3, _T)
MEAN_FRAUDS_PER_CAMPAIGN = sum(pattern.mean_frauds for pattern in DECK) / len(DECK)


def _thief(chance: Chance) -> Facts:
    """A device and a network that are not the victim's (RFC 2544 addresses: nobody's)."""
    return {
        "device_id": f"d-x{chance.whole(0, 10**9):09d}",
        "ip": f"198.{chance.whole(18, 19)}.{chance.whole(0, 255)}.{chance.whole(1, 254)}",
    }


def _other_continents(home: City) -> tuple[City, ...]:
    return tuple(city for city in CITIES if city.country.continent != home.country.continent)
