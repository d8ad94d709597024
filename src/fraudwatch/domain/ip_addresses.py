"""Clean an IP address as shops send it: with a port, in brackets, with a zone, or in a list.

A list is what proxies make of ``X-Forwarded-For``. Its first address is the client's claim: whoever
writes the header chooses it, so it may mislead rules about networks, but never keeps a purchase
from being judged.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

_CACHED_TEXTS = 100_000
# Cached texts are short, so that whoever writes the header cannot fill the memory with it.
_LONGEST_CACHED = 64
_LONGEST_TEXT = 1_000
# Far above any chain of proxies: the rest of a longer list is not read.
_LONGEST_LIST = 32
_WITH_PORT = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}|\[([^\]]*)\](?::\d{1,5})?")
# Documentation networks are no part of it: their addresses are those of examples and tests.
_INTERNAL: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3",
        "::/127", "fc00::/7", "fe80::/10", "ff00::/8",
    )
)  # fmt: skip

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class CleanedAddress(NamedTuple):
    """Address to use, and what was done to the text; without an address: why it is unusable."""

    address: str | None
    reason: str | None = None


def cleaned_address(text: str) -> CleanedAddress:
    """Return the address of a text: a single one, or the first public one of a list."""
    if len(text) > _LONGEST_TEXT:
        return CleanedAddress(None, f"is longer than {_LONGEST_TEXT} characters")
    return _cached(text) if len(text) <= _LONGEST_CACHED else _cleaned(text)


@lru_cache(_CACHED_TEXTS)
def _cached(text: str) -> CleanedAddress:
    return _cleaned(text)


def _cleaned(text: str) -> CleanedAddress:
    parts = text.split(",", _LONGEST_LIST)[:_LONGEST_LIST]
    if len(parts) > 1:
        return _of_list(parts)
    found = _parsed(text)
    if found is None:
        return CleanedAddress(None, "is not an IPv4 or IPv6 address")
    if found.is_unspecified or found.is_loopback:
        return CleanedAddress(None, "is no address of a device")
    try:
        ipaddress.ip_address(text.strip())
    except ValueError:
        return CleanedAddress(str(found), "has a port or brackets, which were left out")
    if "%" in text:
        return CleanedAddress(str(found), "has a zone, which was left out")
    return CleanedAddress(text)


def _of_list(parts: list[str]) -> CleanedAddress:
    known = list(_addresses(parts))
    public = [one for one in known if not _is_internal(one)]
    if not known:
        return CleanedAddress(None, "is a list without an IPv4 or IPv6 address")
    if not public:
        return CleanedAddress(None, "is a list of internal addresses")
    if len(set(public)) == 1:
        return CleanedAddress(str(public[0]), "is a list, of which the public address was used")
    return CleanedAddress(
        str(public[0]), "is a list, of which the first public address was used, as its sender says"
    )


def _addresses(parts: list[str]) -> Iterator[Address]:
    for part in parts:
        found = _parsed(part)
        if found is not None:
            yield found


def _parsed(text: str) -> Address | None:
    plain = text.strip()
    if with_port := _WITH_PORT.fullmatch(plain):
        plain = with_port[1] or with_port[2]
    try:
        found = ipaddress.ip_address(plain.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _is_internal(address: Address) -> bool:
    return any(address in network for network in _INTERNAL if network.version == address.version)
