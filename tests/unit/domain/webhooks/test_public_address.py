"""Addresses that webhooks may connect to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.domain.webhooks.public_address import is_public, literal_address

# RFC 6890 and the special-purpose registries of IANA, and what clouds use.
NOT_PUBLIC_4 = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
]  # fmt: skip
NOT_PUBLIC_6 = [
    "::/128", "::1/128", "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64",
    "2001::/32", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
    "fec0::/10", "ff00::/8",
]  # fmt: skip


@pytest.mark.parametrize("network", [*NOT_PUBLIC_4, *NOT_PUBLIC_6])
def test_the_ends_of_every_special_network_are_refused(network: str) -> None:
    found = ip_network(network)
    assert not is_public(found[0])
    assert not is_public(found[-1])


@given(st.sampled_from(NOT_PUBLIC_4 + NOT_PUBLIC_6).flatmap(lambda n: st.ip_addresses(network=n)))
def test_no_address_of_a_special_network_is_public(address: IPv4Address | IPv6Address) -> None:
    assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_no_form_of_ipv6_hides_an_ipv4_address(inner: IPv4Address) -> None:
    number = int(inner)
    for outer in (
        number,
        0xFFFF << 32 | number,
        int(IPv6Address("64:ff9b::")) | number,
        0x2002 << 112 | number << 80,
        0x20010000 << 96 | number,
    ):
        assert not is_public(IPv6Address(outer))


@pytest.mark.parametrize("text", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00:1450::1"])
def test_public_addresses_are_accepted(text: str) -> None:
    assert is_public(ip_address(text))


def test_a_scope_does_not_hide_a_link_local_address() -> None:
    assert not is_public(ip_address("fe80::1%eth0"))
    assert literal_address("fe80::1%25eth0") == ip_address("fe80::1")


def test_a_name_is_no_address() -> None:
    assert literal_address("shop.example") is None
    assert literal_address("[::1]") == ip_address("::1")
