from __future__ import annotations

from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.domain.money import (
    DECIMALS,
    EuroAmount,
    MissingRate,
    Rate,
    RateTable,
    UnknownCurrency,
    amount_text,
    minor_units_of,
)

RATES = RateTable(
    [
        Rate("2026-01-01", "GBP", Decimal("0.80")),
        Rate("2026-07-01", "GBP", Decimal("0.50")),
        Rate("2026-01-01", "JPY", Decimal(160)),
        Rate("2026-01-01", "XXX", Decimal(2)),
        Rate("2026-01-01", "VND", Decimal(27_000)),
        Rate("2026-01-01", "OMR", Decimal("0.417")),
        Rate("2026-01-01", "JOD", Decimal("0.767")),
        Rate("2026-01-01", "UYW", Decimal("0.15")),
    ]
)
# The standard's current currencies that are not divided into hundredths.
WITHOUT_DECIMALS = (
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()  # noqa: SIM905
)
WITH_THREE = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
WITH_FOUR = ("CLF", "UYW")
WITHOUT_MINOR_UNIT = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX".split()  # noqa: SIM905
# Withdrawn; events may be as old as 2000.
WITHDRAWN_WITHOUT_DECIMALS = (
    "ADP BEF BYB BYR ESP GRD ITL LUF MGF PTE ROL TPE TRL".split()  # noqa: SIM905
)


@pytest.mark.parametrize(
    ("currencies", "decimals"),
    [
        (WITHOUT_DECIMALS, 0),
        (WITH_THREE, 3),
        (WITH_FOUR, 4),
        (("EUR", "USD", "GBP", "XCG", "ZWG", "SLE", "VED", "MGA", "MRU", "IRR", "COU"), 2),
        (("DEM", "FRF", "HRK", "BGN", "ANG", "LTL", "VEF"), 2),
        (WITHDRAWN_WITHOUT_DECIMALS, 0),
    ],
)
def test_decimals_are_those_of_iso_4217(currencies: list[str], decimals: int) -> None:
    assert {one: minor_units_of(one) for one in currencies} == dict.fromkeys(currencies, decimals)


def test_all_others_of_the_table_have_two_decimals() -> None:
    named = {*WITHOUT_DECIMALS, *WITH_THREE, *WITH_FOUR, *WITHDRAWN_WITHOUT_DECIMALS}
    assert {DECIMALS[one] for one in DECIMALS.keys() - named} == {2}
    assert Counter(DECIMALS.values()) == {0: 30, 2: 180, 3: 7, 4: 2}


def test_every_currency_used_since_2001_is_in_the_table() -> None:
    """Unicode's data, which Babel renews: a new currency of the world fails here."""
    used = {
        currency
        for by_country in get_global("territory_currencies").values()
        for currency, _, until, is_tender in by_country
        if is_tender and (until is None or until >= (2001, 1, 1))
    }
    assert len(used) > 200
    assert used - DECIMALS.keys() == {"MCF"}  # Monaco's coins, French francs to the standard


@pytest.mark.parametrize("currency", [*WITHOUT_MINOR_UNIT, "XYZ", "CNH", "eur", ""])
def test_a_currency_without_known_decimals_is_refused_even_with_a_rate(currency: str) -> None:
    rates = RateTable([Rate("2026-01-01", currency, Decimal(2))])
    with pytest.raises(UnknownCurrency, match="no number of decimals in ISO 4217"):
        minor_units_of(currency)
    with pytest.raises(UnknownCurrency, match=f"^{currency} has no number of decimals"):
        rates.to_eur(100, currency, "2026-03-05")


@pytest.mark.parametrize(
    ("minor", "currency", "day", "expected"),
    [
        (1_234, "EUR", "1999-01-01", EuroAmount(1_234, "1999-01-01")),
        (800, "GBP", "2026-03-05", EuroAmount(1_000, "2026-01-01")),
        (800, "GBP", "2026-07-01", EuroAmount(1_600, "2026-07-01")),
        (160, "JPY", "2026-03-05", EuroAmount(100, "2026-01-01")),
        (2, "GBP", "2026-03-05", EuroAmount(2, "2026-01-01")),  # 2.5 cents, half to even
        (6, "GBP", "2026-03-05", EuroAmount(8, "2026-01-01")),  # 7.5 cents, half to even
        (108_000_000, "VND", "2026-03-05", EuroAmount(400_000, "2026-01-01")),
        (41_700, "OMR", "2026-03-05", EuroAmount(10_000, "2026-01-01")),
        (76_700, "JOD", "2026-03-05", EuroAmount(10_000, "2026-01-01")),
        (15_000, "UYW", "2026-03-05", EuroAmount(1_000, "2026-01-01")),
        (-0, "JPY", "2026-03-05", EuroAmount(0, "2026-01-01")),
    ],
)
def test_conversion_by_the_newest_rate_not_after_the_day(
    minor: int, currency: str, day: str, expected: EuroAmount
) -> None:
    assert RATES.to_eur(minor, currency, day) == expected


@pytest.mark.parametrize(("currency", "day"), [("USD", "2026-03-05"), ("GBP", "2025-12-31")])
def test_a_currency_without_a_rate_is_refused(currency: str, day: str) -> None:
    with pytest.raises(MissingRate, match=f"no rate of {currency} on or before {day}"):
        RATES.to_eur(100, currency, day)


@given(
    st.integers(0, 2**200),
    st.decimals("1e-12", "1e12", allow_nan=False, allow_infinity=False, places=12),
    st.sampled_from(["JPY", "GBP", "KWD", "CLF"]),
)
def test_conversion_is_exact_whatever_the_size(minor: int, rate: Decimal, currency: str) -> None:
    rates = RateTable([Rate("2026-01-01", currency, rate)])
    exact = Fraction(minor) / 10 ** minor_units_of(currency) / Fraction(rate) * 100
    # Python's round of a fraction is half to even as well.
    assert rates.to_eur(minor, currency, "2026-01-01").eur_cents == round(exact)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (0, "EUR", "0.00 EUR"),
        (-0, "EUR", "0.00 EUR"),
        (5, "EUR", "0.05 EUR"),
        (123_456_789, "USD", "1,234,567.89 USD"),
        (2_500, "JPY", "2,500 JPY"),
        (108_000_000, "VND", "108,000,000 VND"),
        (1_234_567, "KWD", "1,234.567 KWD"),
        (41_700, "OMR", "41.700 OMR"),
        (12_345, "CLF", "1.2345 CLF"),
        (10**13, "EUR", "100,000,000,000.00 EUR"),
        (2**53 + 1, "EUR", "90,071,992,547,409.93 EUR"),
        (10**40 + 7, "EUR", f"{10**38:,}.07 EUR"),
        (-150, "EUR", "-1.50 EUR"),
        (123_450, "XXX", "123,450 minor units of XXX"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(minor: int, currency: str, text: str) -> None:
    assert amount_text(minor, currency) == text
