from __future__ import annotations

import pytest

from fraudwatch.domain.money import minor_units_of
from shop.places import COUNTRIES, Country, minor_units


@pytest.mark.parametrize("country", COUNTRIES.values(), ids=COUNTRIES.keys())
def test_prices_have_the_decimals_of_iso_4217(country: Country) -> None:
    price = round(1_000 * country.units_per_euro_worth * 10 ** minor_units_of(country.currency))
    assert minor_units(100_000, country) == price
