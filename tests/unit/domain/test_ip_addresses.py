from __future__ import annotations

import pytest

from fraudwatch.domain.ip_addresses import cleaned_address


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        ("203.0.113.9:51234", "203.0.113.9"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("203.0.113.9, 10.0.0.7", "203.0.113.9"),
        ("10.0.0.7,203.0.113.9:80", "203.0.113.9"),
        ("unknown, 203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.1, 2001:db8::1", "2001:db8::1"),
        ("198.51.100.1, 203.0.113.9", "198.51.100.1"),
    ],
)
def test_an_address_is_cleaned_and_the_reason_says_how(sent: str, address: str) -> None:
    cleaned = cleaned_address(sent)
    assert cleaned.address == address
    assert cleaned.reason
    assert address not in cleaned.reason


@pytest.mark.parametrize("sent", ["203.0.113.9", "2001:DB8::1", "10.0.0.7", " 192.0.2.17"])
def test_a_usable_address_stays_as_it_is(sent: str) -> None:
    assert cleaned_address(sent) == (sent, None)


@pytest.mark.parametrize(
    "sent",
    [
        "unknown", "300.1.1.1", "0.0.0.0", "::",  # noqa: S104  none is bound
        "127.0.0.1", "[::1]:80", "10.0.0.7, 192.168.1.1",
        "unknown, -", ",", "_hidden", "203.0.113.9" + " " * 1_000, ", ".join(["x"] * 5_000),
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_device_is_unknown(sent: str) -> None:
    cleaned = cleaned_address(sent)
    assert cleaned.address is None
    assert cleaned.reason


def test_a_list_of_several_public_addresses_is_named_as_a_claim() -> None:
    one, several = cleaned_address("203.0.113.9, 10.0.0.7"), cleaned_address("1.1.1.1, 203.0.113.9")
    assert "sender" not in (one.reason or "")
    assert "as its sender says" in (several.reason or "")
