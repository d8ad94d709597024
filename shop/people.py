"""Generate customers: home, card, devices, activity by hour and habits.

Customer ``n`` of a seed is the same person whatever the number of customers; a newcomer is another
person with the habits of one of them. Card numbers start with BINs that payment networks reserve
for tests, IP addresses come from ranges that are not assigned (RFC 6598, RFC 3849), and mail
domains are reserved (RFC 2606).
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
from shop.seeded_random import SeededRandom

HOURS = 24
# Far above the activity of a sleeping customer and far below the lowest while awake.
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
    """One customer, as the shop knows them.

    Attributes:
        identity: Fields of every purchase: id, name and card.
        online_identity: Additional fields of an online order: mail, address, network.
        devices: Their devices, the most used first.
        level: Factor of their amounts relative to all customers.
        activity: Purchases in each UTC hour of a day; only ratios matter.
        taste: Categories they buy, with cumulative shares for drawing one.
        habit: Number that selects their usual merchants.
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
        """Compute their mean amount of a purchase."""
        categories, cumulative = self.taste
        shares = (high - low for low, high in pairwise((0.0, *cumulative)))
        means = (c.median_eur_cents * math.exp(c.sigma**2 / 2) for c in categories)
        return self.level * math.fsum(map(mul, shares, means))

    def is_asleep(self, utc_hour: int) -> bool:
        """Return whether they hardly ever buy in this hour of the day."""
        return self.activity[utc_hour] < _ASLEEP_BELOW_RATIO * max(self.activity)


def customer_of(seed: int, index: int) -> Customer:
    """Generate the customer with this number."""
    rng = SeededRandom(seed, "customer", index)
    home = _home(rng)
    return Customer(
        index=index,
        home=home,
        **_person(rng, index, home),
        level=rng.log_normal(1.0, 0.35),
        activity=_activity(rng, home.country.utc_offset_hours),
        taste=_taste(rng),
        habit=rng.integer(0, 999),
    )


def newcomer_like(customer: Customer, seed: int, index: int) -> Customer:
    """Generate a new customer with the city, hours and tastes of another; cheap to compute."""
    return replace(
        customer,
        index=index,
        **_person(SeededRandom(seed, "customer", index), index, customer.home),
    )


def card_number_of(index: int, test_bin: str) -> str:
    """Generate a card number of 16 digits that passes the Luhn check, unique by customer."""
    # Multiplying by a number coprime to 10^9 shuffles the customers without a collision.
    body = f"{test_bin}{(index * 387_420_489 + 271_828_183) % 10**9:09d}"
    doubled = [int(d) * (2 if n % 2 == 0 else 1) for n, d in enumerate(body)]
    return f"{body}{-sum(d - 9 if d > 9 else d for d in doubled) % 10}"  # noqa: PLR2004  digits


def _home(rng: SeededRandom) -> City:
    threshold = rng.random() * math.fsum(country.customer_share for country in COUNTRIES.values())
    for country in COUNTRIES.values():
        threshold -= country.customer_share
        if threshold < 0:
            break
    return rng.choice(CITIES_OF[country.code])


def _person(rng: SeededRandom, index: int, home: City) -> dict[str, Any]:
    """Generate the identifying fields of a customer."""
    first_name = rng.choice(FIRST_NAMES)
    return {
        "identity": _identity(rng, index, first_name),
        "online_identity": {
            "email": f"{_ascii(first_name)}.{index}@{rng.choice(MAIL_DOMAINS)}",
            **_address(rng, home),
        },
        "devices": tuple(f"d-{index:06d}-{n}" for n in range(1, rng.integer(1, 3) + 1)),
    }


def _identity(rng: SeededRandom, index: int, first_name: str) -> dict[str, Any]:
    return {
        "customer_id": f"c-{index:06d}",
        "name": f"{first_name} {rng.choice(LAST_NAMES)}",
        "card_number": card_number_of(index, rng.choice(TEST_BINS)),
        # Numbers that Ofcom reserves for films: they reach nobody.
        "phone": f"+447700900{index % 1_000:03d}",
    }


def _address(rng: SeededRandom, home: City) -> dict[str, Any]:
    return {
        "ip": _home_network(rng),
        "billing_country": home.country.code,
        "billing_latitude": _near(rng, home.latitude),
        "billing_longitude": _near(rng, home.longitude),
    }


def _ascii(name: str) -> str:
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()


def _home_network(rng: SeededRandom) -> str:
    if rng.happens(0.15):
        return f"2001:db8:{rng.integer(1, 0xFFFF):x}::{rng.integer(1, 0xFFFF):x}"
    return f"100.{rng.integer(64, 127)}.{rng.integer(0, 255)}.{rng.integer(1, 254)}"


def _near(rng: SeededRandom, degrees: float) -> float:
    return round(degrees + rng.uniform(-1, 1) * CITY_RADIUS_DEGREES, 5)


def _activity(rng: SeededRandom, utc_offset_hours: float) -> tuple[float, ...]:
    """Draw the activity by hour: awake from about 7 to about 23 h, with a personal peak."""
    frequency = rng.log_normal(1.0, 0.6)
    wakes, sleeps = rng.uniform(5.5, 8.5), rng.uniform(21.5, 24.5)
    peak, width = rng.uniform(10, 21), rng.uniform(1.5, 4)

    def at(local_hour: float) -> float:
        if not wakes <= local_hour < sleeps:
            return 0.02
        return 0.35 + math.exp(-(((local_hour - peak) / width) ** 2))

    return tuple(frequency * at((hour + utc_offset_hours) % HOURS) for hour in range(HOURS))


def _taste(rng: SeededRandom) -> tuple[tuple[Category, ...], tuple[float, ...]]:
    """Draw the shares of categories: much groceries, and a few favourites."""
    weights = [rng.random() ** 3 + 0.02 for _ in CATEGORIES]
    weights[0] += 0.8
    total = math.fsum(weights)
    return CATEGORIES, tuple(accumulate(weight / total for weight in weights))
