"""Generate merchants: counters in every city and web shops in every country."""

from __future__ import annotations

from dataclasses import dataclass

from shop.places import CITIES, COUNTRIES, City, Country
from shop.seeded_random import SeededRandom

COUNTERS_PER_CITY_AND_CATEGORY = 3
WEB_SHOPS_PER_COUNTRY_AND_CATEGORY = 2
# A few kilometres: two counters of one city never look like travel.
CITY_RADIUS_DEGREES = 0.03


@dataclass(frozen=True, slots=True)
class Category:
    """A category of goods: median price, spread of prices, share bought in person."""

    name: str
    median_eur_cents: int
    sigma: float
    in_person_share: float
    max_items: int


CATEGORIES = (
    Category("groceries", 2_800, 0.55, 0.92, 25),
    Category("restaurants", 2_400, 0.45, 0.95, 6),
    Category("fuel", 5_200, 0.35, 1.0, 1),
    Category("pharmacy", 1_600, 0.50, 0.70, 5),
    Category("fashion", 5_500, 0.55, 0.40, 5),
    Category("home", 6_500, 0.60, 0.50, 8),
    Category("digital", 1_200, 0.50, 0.0, 2),
    Category("electronics", 12_000, 0.60, 0.35, 3),
    Category("travel", 16_000, 0.55, 0.10, 4),
)
CATEGORY = {category.name: category for category in CATEGORIES}


@dataclass(frozen=True, slots=True)
class Merchant:
    """A merchant. A web shop has a position too, but no purchase happens there."""

    merchant_id: str
    country: Country
    category: Category
    latitude: float
    longitude: float


class Market:
    """All merchants of one world, by place and category."""

    def __init__(self, seed: int) -> None:
        self._counters = {
            (city.name, category.name): _merchants_of(
                seed, f"{city.country.code}-{city.name}", city, category
            )
            for city in CITIES
            for category in CATEGORIES
        }
        self._web_shops = {
            (country.code, category.name): _merchants_of(
                seed,
                f"web-{country.code}",
                next(city for city in CITIES if city.country is country),
                category,
                count=WEB_SHOPS_PER_COUNTRY_AND_CATEGORY,
            )
            for country in COUNTRIES.values()
            for category in CATEGORIES
        }

    def counters(self, city: City, category: Category) -> tuple[Merchant, ...]:
        """Return the merchants of this category with a counter in this city."""
        return self._counters[city.name, category.name]

    def web_shops(self, country: Country, category: Category) -> tuple[Merchant, ...]:
        """Return the web shops of this category in this country."""
        return self._web_shops[country.code, category.name]


def _merchants_of(
    seed: int,
    prefix: str,
    city: City,
    category: Category,
    *,
    count: int = COUNTERS_PER_CITY_AND_CATEGORY,
) -> tuple[Merchant, ...]:
    rng = SeededRandom(seed, "merchants", prefix, category.name)
    ascii_prefix = prefix.lower().replace(" ", "_").encode("ascii", "ignore").decode()
    return tuple(
        Merchant(
            f"{ascii_prefix}-{category.name}-{number}",
            city.country,
            category,
            round(city.latitude + rng.uniform(-1, 1) * CITY_RADIUS_DEGREES, 5),
            round(city.longitude + rng.uniform(-1, 1) * CITY_RADIUS_DEGREES, 5),
        )
        for number in range(1, count + 1)
    )
