"""What every campaign is made of: the scene it is staged with and the strikes it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shop.breaches import Breach
from shop.people import Customer
from shop.places import CITIES_OF, City, minor_units
from shop.plan import MINUTE_MS
from shop.purchases import Facts, Till
from shop.seeded_random import Chance
from shop.trips import Whereabouts

SECOND_MS = 1_000
# No campaign lasts longer: whoever looks for what strikes a minute looks back no further.
LONGEST_CAMPAIGN_MS = 75 * MINUTE_MS


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
    """What a campaign is staged with.

    Attributes:
        till: Rings up the purchases.
        whereabouts: Where a customer is at an instant.
        draw_customer: Somebody who buys at an instant, the likelier the more they buy then.
        breach_before: The merchant whose customers' cards are in use at an instant, if any.
    """

    till: Till
    whereabouts: Whereabouts
    draw_customer: Callable[[int, Chance], Customer]
    breach_before: Callable[[int], Breach | None]


Stage = Callable[[Scene, int, Chance], Iterator[Strike]]


def stranger(chance: Chance) -> Facts:
    """A device and a network that are not the victim's (RFC 2544 addresses: nobody's)."""
    return {
        "device_id": f"d-x{chance.whole(0, 10**9):09d}",
        "ip": f"198.{chance.whole(18, 19)}.{chance.whole(0, 255)}.{chance.whole(1, 254)}",
    }


def price(worth_eur_cents: float, victim: Customer) -> Facts:
    """An amount in the money of the victim's country."""
    country = victim.home.country
    return {"amount_minor": minor_units(worth_eur_cents, country), "currency": country.currency}


def another_city(home: City, chance: Chance) -> City:
    """A city of the same country where it has several; else there is only this one."""
    others = [city for city in CITIES_OF[home.country.code] if city is not home]
    return chance.among(others or [home])
