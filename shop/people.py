"""Who buys: customers with a home, cards, devices, a daily rhythm and habits.

Customer ``n`` of a seed is the same person however many customers the world has; a newcomer is
another person with the habits of one of them. Card numbers start with BINs that payment networks
set aside for tests, addresses of the internet come from ranges that nobody is given (RFC 6598,
RFC 3849), and mail domains are reserved (RFC 2606).
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from operator import mul
from typing import Any

from shop.merchants import CATEGORIES, CITY_RADIUS_DEGREES, Category
from shop.places import CITIES_OF, COUNTRIES, City
from shop.seeded_random import Chance

HOURS = 24
# Far above the activity of a sleeper and far below the least of somebody awake.
_ASLEEP_BELOW_RATIO = 0.1
TEST_BINS = ("424242", "400005", "555555", "520082", "222300")
FIRST_NAMES = (
    *("Anna", "Ben", "Chloé", "David", "Elif", "Françoise", "Giulia", "Hanna", "Ines", "Jonas"),
    *("Katarzyna", "Luca", "María", "Noah", "Olga", "Pablo", "Quentin", "Rosa", "Sven", "Tomoko"),
    *("Ursula", "Viktor", "Wanda", "Xavier", "Yuki", "Zoë", "Aarav", "Beatriz", "Łukasz", "Mia"),
)
LAST_NAMES = (
    *("Almeida", "Bianchi", "Castro", "Dubois", "Eriksson", "Fischer", "García", "Hughes"),
    *("Ivanov", "Jansen", "Kowalski", "Lefèvre", "Müller", "Nowak", "O'Brien", "Petit", "Quinn"),
    *("Rossi", "Schmidt", "Tanaka", "Ueda", "Vries", "Weber", "Yamada", "Zimmermann", "Sharma"),
)
MAIL_DOMAINS = ("example.com", "example.net", "example.org")


@dataclass(frozen=True, slots=True)
class Customer:
    """One person, as the shop knows them.

    Attributes:
        identity: What every purchase of theirs says: id, name and card.
        online_identity: What an order over the internet says besides: mail, address, network.
        devices: Their own devices, the one they use most first.
        level: How their amounts compare with everybody's.
        activity: How much they buy in each UTC hour of a day; only ratios matter.
        taste: Categories they buy, with cumulative shares for drawing one.
        habit: Number that decides which merchants are their usual ones.
    """

    index: int
    home: City
    identity: dict[str, Any]
    online_identity: dict[str, Any]
    devices: tuple[str, ...]
    level: float
    activity: tuple[float, ...]
    taste: tuple[tuple[Category, ...], tuple[float, ...]]
    habit: int

    @property
    def usual_eur_cents(self) -> float:
        """What they spend at a time, on average."""
        categories, cumulative = self.taste
        shares = (high - low for low, high in pairwise((0.0, *cumulative)))
        means = (c.median_eur_cents * math.exp(c.sigma**2 / 2) for c in categories)
        return self.level * math.fsum(map(mul, shares, means))

    def is_asleep(self, utc_hour: int) -> bool:
        """Whether they hardly ever buy in this hour of the day."""
        return self.activity[utc_hour] < _ASLEEP_BELOW_RATIO * max(self.activity)


def customer_of(seed: int, index: int) -> Customer:
    """The customer with this number."""
    chance = Chance(seed, "customer", index)
    home = _home(chance)
    return Customer(
        index=index,
        home=home,
        **_person(chance, index, home),
        level=chance.log_normal(1.0, 0.35),
        activity=_activity(chance, home.country.utc_offset_hours),
        taste=_taste(chance),
        habit=chance.whole(0, 999),
    )


def newcomer_like(customer: Customer, seed: int, index: int) -> Customer:
    """Another person of the same city, hours and tastes: cheap, since only who they are is new."""
    return replace(
        customer, index=index, **_person(Chance(seed, "customer", index), index, customer.home)
    )


def card_number_of(index: int, tested_bin: str) -> str:
    """A card number of 16 digits that passes the Luhn check; no two customers share one."""
    # Multiplying by a number coprime to 10^9 shuffles the customers without a collision.
    body = f"{tested_bin}{(index * 387_420_489 + 271_828_183) % 10**9:09d}"
    doubled = [int(d) * (2 if n % 2 == 0 else 1) for n, d in enumerate(body)]
    return f"{body}{-sum(d - 9 if d > 9 else d for d in doubled) % 10}"  # noqa: PLR2004  digits


def _home(chance: Chance) -> City:
    wanted = chance.share() * math.fsum(country.customer_share for country in COUNTRIES.values())
    for country in COUNTRIES.values():
        wanted -= country.customer_share
        if wanted < 0:
            break
    return chance.among(CITIES_OF[country.code])


def _person(chance: Chance, index: int, home: City) -> dict[str, Any]:
    """What tells somebody from everybody else."""
    first_name = chance.among(FIRST_NAMES)
    return {
        "identity": _identity(chance, index, first_name),
        "online_identity": {
            "email": f"{_plain(first_name)}.{index}@{chance.among(MAIL_DOMAINS)}",
            **_address(chance, home),
        },
        "devices": tuple(f"d-{index:06d}-{n}" for n in range(1, chance.whole(1, 3) + 1)),
    }


def _identity(chance: Chance, index: int, first_name: str) -> dict[str, Any]:
    return {
        "customer_id": f"c-{index:06d}",
        "name": f"{first_name} {chance.among(LAST_NAMES)}",
        "card_number": card_number_of(index, chance.among(TEST_BINS)),
    }


def _address(chance: Chance, home: City) -> dict[str, Any]:
    return {
        "ip": _home_network(chance),
        "billing_country": home.country.code,
        "billing_latitude": _near(chance, home.latitude),
        "billing_longitude": _near(chance, home.longitude),
    }


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()


def _home_network(chance: Chance) -> str:
    if chance.happens(0.15):
        return f"2001:db8:{chance.whole(1, 0xFFFF):x}::{chance.whole(1, 0xFFFF):x}"
    return f"100.{chance.whole(64, 127)}.{chance.whole(0, 255)}.{chance.whole(1, 254)}"


def _near(chance: Chance, degrees: float) -> float:
    return round(degrees + chance.between(-1, 1) * CITY_RADIUS_DEGREES, 5)


def _activity(chance: Chance, utc_offset_hours: float) -> tuple[float, ...]:
    """Awake from about seven to about eleven, with an hour of the day that is theirs."""
    frequency = chance.log_normal(1.0, 0.6)
    wakes, sleeps = chance.between(5.5, 8.5), chance.between(21.5, 24.5)
    peak, width = chance.between(10, 21), chance.between(1.5, 4)

    def at(local_hour: float) -> float:
        if not wakes <= local_hour < sleeps:
            return 0.02
        return 0.35 + math.exp(-(((local_hour - peak) / width) ** 2))

    return tuple(frequency * at((hour + utc_offset_hours) % HOURS) for hour in range(HOURS))


def _taste(chance: Chance) -> tuple[tuple[Category, ...], tuple[float, ...]]:
    """Everybody eats; beyond that a person has a few kinds of goods they keep buying."""
    weights = [chance.share() ** 3 + 0.02 for _ in CATEGORIES]
    weights[0] += 0.8
    total = math.fsum(weights)
    return CATEGORIES, tuple(accumulate(weight / total for weight in weights))
