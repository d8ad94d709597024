"""Define a campaign: its context, and the purchases that it adds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shop.breaches import Breach
from shop.people import Customer
from shop.places import CITIES_OF, City, minor_units
from shop.plan import MINUTE_MS
from shop.purchases import CheckoutSampler, Facts
from shop.seeded_random import SeededRandom
from shop.trips import Whereabouts

SECOND_MS = 1_000
# Upper bound of a campaign's length: the lookup of a minute's campaigns goes back no further.
LONGEST_CAMPAIGN_MS = 75 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class CampaignPurchase:
    """One purchase of a campaign; the victim's own purchase in it is not fraud."""

    facts: Facts
    is_fraud: bool = True

    @property
    def at_ms(self) -> int:
        """Return its event time."""
        at_ms: int = self.facts["event_at_ms"]
        return at_ms


@dataclass(frozen=True, slots=True)
class CampaignContext:
    """Everything that a campaign is generated from.

    Attributes:
        checkout: Draws the purchases.
        whereabouts: Locates a customer at an instant.
        draw_customer: Draws a customer at an instant, weighted by their activity then.
        previous_breach: Finds the merchant whose customers' cards are in use at an instant, if any.
    """

    checkout: CheckoutSampler
    whereabouts: Whereabouts
    draw_customer: Callable[[int, SeededRandom], Customer]
    previous_breach: Callable[[int], Breach | None]


Campaign = Callable[[CampaignContext, int, SeededRandom], Iterator[CampaignPurchase]]


def new_device(rng: SeededRandom) -> Facts:
    """Draw a device and a network that are not the victim's (unassigned addresses, RFC 2544)."""
    return {
        "device_id": f"d-x{rng.integer(0, 10**9):09d}",
        "ip": f"198.{rng.integer(18, 19)}.{rng.integer(0, 255)}.{rng.integer(1, 254)}",
    }


def price(worth_eur_cents: float, victim: Customer) -> Facts:
    """Convert an amount to the currency of the victim's country."""
    country = victim.home.country
    return {"amount_minor": minor_units(worth_eur_cents, country), "currency": country.currency}


def another_city(home: City, rng: SeededRandom) -> City:
    """Draw another city of the same country, or the same city where there is no other."""
    others = [city for city in CITIES_OF[home.country.code] if city is not home]
    return rng.choice(others or [home])
