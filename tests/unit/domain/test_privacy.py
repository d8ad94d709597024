from __future__ import annotations

import pytest

from fraudwatch.domain.privacy import (
    bin_and_last_four,
    canonical_ip,
    coarse,
    masked_card_id,
    masked_card_number,
)


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


def test_a_name_of_a_card_is_masked_only_if_it_is_a_number() -> None:
    assert masked_card_id("pm_1N9XyZ") == "pm_1N9XyZ"
    assert masked_card_id("4711") == "4711"
    assert masked_card_id("4111111111111111") == masked_card_number("4111111111111111")
