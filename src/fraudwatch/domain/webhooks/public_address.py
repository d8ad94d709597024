"""Decide which IP addresses webhooks may connect to: public unicast ones.

A client chooses the URL, and its name's owner chooses the address. Without this rule a webhook
could reach services of this machine, of its network, or the metadata of a cloud.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

_GLOBAL_UNICAST: Final = ip_network("2000::/3")
# Not all of them are known as special to every version of `ipaddress`.
_SPECIAL: Final = (
    ip_network("100.64.0.0/10"),  # shared by the customers of a provider
    ip_network("168.63.129.16/32"),  # Azure's metadata and agents, a public address by its number
    ip_network("192.0.0.0/24"),  # protocol assignments, Oracle's metadata among them
    ip_network("192.88.99.0/24"),  # 6to4 relays
    ip_network("2001::/23"),  # protocol assignments, Teredo among them
    ip_network("2002::/16"),  # 6to4: an IPv4 address is inside
    ip_network("3fff::/20"),  # documentation
)


def is_public(address: Address) -> bool:
    """Whether an address is public unicast, with no other address inside."""
    if any(address in network for network in _SPECIAL):
        return False
    # IPv4-mapped, -compatible and -translated addresses are outside the global unicast range.
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def literal_address(host: str) -> Address | None:
    """Return the address if the host is one in its usual form, None if it is a name."""
    try:
        return ip_address(host.partition("%")[0].strip("[]"))
    except ValueError:
        return None
