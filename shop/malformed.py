"""Malform a few messages of the feed, as real feeds do, so that readers must cope with them.

Only the feed has malformed messages. The daily extract holds the purchase as it was.
"""

from __future__ import annotations

from zlib import crc32

from shop.purchases import Facts

ONE_IN = 5_000
_MISSING_AMOUNT, _UNKNOWN_CURRENCY, _NEGATIVE_AMOUNT = 0, 1, 2
_WAYS = 4


def maybe_malform(purchase: Facts, seed: int) -> Facts:
    """Malform one purchase in 5,000 and return the others unchanged."""
    number = crc32(f"{seed}:{purchase['id']}".encode())
    if number % ONE_IN:
        return purchase
    way = number // ONE_IN % _WAYS
    if way == _MISSING_AMOUNT:
        return {name: value for name, value in purchase.items() if name != "amount_minor"}
    if way == _UNKNOWN_CURRENCY:
        return purchase | {"currency": "XXX"}
    if way == _NEGATIVE_AMOUNT:
        return purchase | {"amount_minor": -purchase["amount_minor"]}
    return purchase | {"merchant_id": ""}
