"""Countries, cities and price levels of the shop's world.

``units_per_euro_worth`` is the price there of goods worth one euro. It is a price level, not an
exchange rate: conversion to euro uses a rate table.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """A country: currency, time zone, and the share of customers who live there."""

    code: str
    continent: str
    currency: str
    units_per_euro_worth: float
    utc_offset_hours: float
    customer_share: float


@dataclass(frozen=True, slots=True)
class City:
    """A city in which customers live or buy, or to which they travel."""

    name: str
    country: Country
    latitude: float
    longitude: float


COUNTRIES = {
    country.code: country
    for country in (
        Country("DE", "Europe", "EUR", 1.0, 1, 0.22),
        Country("FR", "Europe", "EUR", 1.0, 1, 0.14),
        Country("IT", "Europe", "EUR", 1.0, 1, 0.10),
        Country("ES", "Europe", "EUR", 1.0, 1, 0.09),
        Country("NL", "Europe", "EUR", 1.0, 1, 0.06),
        Country("GB", "Europe", "GBP", 0.85, 0, 0.11),
        Country("CH", "Europe", "CHF", 0.95, 1, 0.05),
        Country("PL", "Europe", "PLN", 4.3, 1, 0.06),
        Country("SE", "Europe", "SEK", 11.0, 1, 0.05),
        Country("US", "America", "USD", 1.1, -5, 0.06),
        Country("JP", "Asia", "JPY", 160.0, 9, 0.03),
        Country("AU", "Oceania", "AUD", 1.7, 10, 0.01),
        Country("IN", "Asia", "INR", 95.0, 5.5, 0.01),
        Country("BR", "America", "BRL", 6.2, -3, 0.01),
    )
}

CITIES = tuple(
    City(name, COUNTRIES[code], latitude, longitude)
    for code, name, latitude, longitude in (
        ("DE", "Berlin", 52.520, 13.405),
        ("DE", "Hamburg", 53.551, 9.994),
        ("DE", "München", 48.137, 11.576),
        ("DE", "Köln", 50.938, 6.960),
        ("FR", "Paris", 48.857, 2.352),
        ("FR", "Lyon", 45.764, 4.836),
        ("FR", "Nantes", 47.218, -1.554),
        ("IT", "Roma", 41.903, 12.496),
        ("IT", "Milano", 45.464, 9.190),
        ("IT", "Napoli", 40.852, 14.268),
        ("ES", "Madrid", 40.417, -3.704),
        ("ES", "Barcelona", 41.385, 2.173),
        ("ES", "Sevilla", 37.389, -5.984),
        ("NL", "Amsterdam", 52.368, 4.904),
        ("NL", "Rotterdam", 51.924, 4.478),
        ("GB", "London", 51.507, -0.128),
        ("GB", "Manchester", 53.481, -2.243),
        ("GB", "Edinburgh", 55.953, -3.188),
        ("CH", "Zürich", 47.377, 8.542),
        ("CH", "Genève", 46.204, 6.143),
        ("PL", "Warszawa", 52.230, 21.012),
        ("PL", "Kraków", 50.065, 19.945),
        ("SE", "Stockholm", 59.329, 18.069),
        ("SE", "Göteborg", 57.709, 11.975),
        ("US", "New York", 40.713, -74.006),
        ("US", "Boston", 42.360, -71.059),
        ("JP", "Tokyo", 35.676, 139.650),
        ("JP", "Osaka", 34.694, 135.502),
        ("AU", "Sydney", -33.869, 151.209),
        ("IN", "Bengaluru", 12.972, 77.594),
        ("BR", "São Paulo", -23.551, -46.633),
    )
)

CITIES_OF = {
    code: tuple(city for city in CITIES if city.country.code == code) for code in COUNTRIES
}

# Currencies without minor units; all others here have hundredths.
_WITHOUT_DECIMALS = frozenset({"JPY"})


def minor_units(eur_cents_worth: float, country: Country) -> int:
    """Convert a worth in euro cents to a price in the country's minor units."""
    units = eur_cents_worth / 100 * country.units_per_euro_worth
    return max(1, round(units if country.currency in _WITHOUT_DECIMALS else units * 100))
