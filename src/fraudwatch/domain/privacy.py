"""Prepare personal data for tokens and masks: canonical values, and what stays in plain text.

A token is an HMAC-SHA-256 of the canonical value under a secret key, separated by field so that
equal texts of different fields get different tokens. It joins and groups, and stays personal data.
"""

from __future__ import annotations

import enum
import ipaddress
from functools import lru_cache

_BIN_DIGITS, _LAST_DIGITS = 6, 4
_SHORTEST_CARD_NUMBER = 12
_NETWORK_PREFIX = {4: 24, 6: 48}
# Parsing an address costs as much as all other processing of a purchase.
_CACHED_ADDRESSES = 100_000
# Decimals of a position in degrees that are kept: about a kilometre, about ten.
PURCHASE_POSITION_DECIMALS, ADDRESS_POSITION_DECIMALS = 2, 1


class TokenField(enum.StrEnum):
    """Kind of value behind a token, for domain separation."""

    CUSTOMER = "customer"
    CARD = "card"
    DEVICE = "device"
    IP = "ip"
    IP_NETWORK = "ip_network"


# Where a token names its key: the part before it is the same for all tokens under one key.
_KEY_SEPARATOR = "_"
# No field of TokenField: a content hash never equals a token.
_CONTENT_DOMAIN = b"purchase_content\0"


def content_hash_input(content: bytes) -> bytes:
    """Return the bytes to hash into a content hash."""
    return _CONTENT_DOMAIN + content


def is_other_content(known: str | None, presented: str | None) -> bool:
    """Return whether two content hashes are of different contents.

    Unknown where one is absent or they are under different keys: then they count as the same.
    """
    if known is None or presented is None or known == presented:
        return False
    return known.partition(_KEY_SEPARATOR)[0] == presented.partition(_KEY_SEPARATOR)[0]


def token_input(field: TokenField, canonical: str) -> bytes:
    """Return the bytes to hash into a token; the zero byte ends the field's name."""
    return f"{field}\0{canonical}".encode()


def bin_and_last_four(card_number: str) -> tuple[str, str]:
    """Return the digits of a card number that PCI DSS 3.4.1 allows to show."""
    return card_number[:_BIN_DIGITS], card_number[-_LAST_DIGITS:]


def bin_of(first_digits: str) -> str:
    """Return the digits of an issuer that are kept; newer numbers have two more."""
    return first_digits[:_BIN_DIGITS]


def masked_card_id(card_id: str) -> str:
    """Mask a source's own name of a card if it is a card number after all."""
    is_number = card_id.isdigit() and len(card_id) >= _SHORTEST_CARD_NUMBER
    return masked_card_number(card_id) if is_number else card_id


def masked_card_number(card_number: str) -> str:
    """Mask a card number: the digits that PCI DSS 3.4.1 allows to show, the rest as dots."""
    first, last = bin_and_last_four(card_number)
    return first + "•" * (len(card_number) - len(first) - len(last)) + last


@lru_cache(_CACHED_ADDRESSES)
def canonical_ip(text: str) -> tuple[str, str]:
    """Return an IP address and its /24 or /48 network in canonical text; IPv4-mapped becomes IPv4.

    Raises:
        ValueError: when ``text`` is no IP address.
    """
    address = ipaddress.ip_address(text.strip())
    address = getattr(address, "ipv4_mapped", None) or address
    prefix = _NETWORK_PREFIX[address.version]
    host_bits = address.max_prefixlen - prefix
    network = type(address)(int(address) >> host_bits << host_bits)
    return str(address), f"{network}/{prefix}"


def coarse(degrees: float | None, decimals: int) -> float | None:
    """Round a coordinate, so that it does not identify an address."""
    return None if degrees is None else round(degrees, decimals)
