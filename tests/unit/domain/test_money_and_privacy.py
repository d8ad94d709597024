from __future__ import annotations

from decimal import Decimal

import pytest

from fraudwatch.domain.money import EuroAmount, Rate, RateTable, UnknownCurrency
from fraudwatch.domain.privacy import bin_and_last_four, canonical_ip, coarse

RATES = RateTable(
    [
        Rate("2026-01-01", "GBP", Decimal("0.80")),
        Rate("2026-07-01", "GBP", Decimal("0.50")),
        Rate("2026-01-01", "JPY", Decimal(160)),
    ]
)


@pytest.mark.parametrize(
    ("minor", "currency", "day", "expected"),
    [
        (1_234, "EUR", "1999-01-01", EuroAmount(1_234, "1999-01-01")),
        (800, "GBP", "2026-03-05", EuroAmount(1_000, "2026-01-01")),
        (800, "GBP", "2026-07-01", EuroAmount(1_600, "2026-07-01")),
        (160, "JPY", "2026-03-05", EuroAmount(100, "2026-01-01")),
        (2, "GBP", "2026-03-05", EuroAmount(2, "2026-01-01")),  # 2.5 cents, half to even
    ],
)
def test_conversion_by_the_newest_rate_not_after_the_day(
    minor: int, currency: str, day: str, expected: EuroAmount
) -> None:
    assert RATES.to_eur(minor, currency, day) == expected


@pytest.mark.parametrize(("currency", "day"), [("XXX", "2026-03-05"), ("GBP", "2025-12-31")])
def test_a_currency_without_a_rate_is_refused(currency: str, day: str) -> None:
    with pytest.raises(UnknownCurrency, match=f"no rate of {currency} on or before {day}"):
        RATES.to_eur(100, currency, day)


@pytest.mark.parametrize(
    ("text", "address", "network"),
    [
        ("192.0.2.17", "192.0.2.17", "192.0.2.0/24"),
        (" ::ffff:192.0.2.17 ", "192.0.2.17", "192.0.2.0/24"),
        ("2001:DB8:1:2::5", "2001:db8:1:2::5", "2001:db8:1::/48"),
    ],
)
def test_addresses_have_one_form_and_a_network(text: str, address: str, network: str) -> None:
    assert canonical_ip(text) == (address, network)


def test_text_that_is_no_ip_address_is_an_error() -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        canonical_ip("300.1.1.1")


def test_masking_keeps_ten_digits_of_a_card_number() -> None:
    assert bin_and_last_four("4111111111111234") == ("411111", "1234")


def test_positions_are_rounded_so_that_they_identify_no_address() -> None:
    assert coarse(52.51634, 1) == 52.5
    assert coarse(None, 1) is None
