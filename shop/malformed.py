"""A few messages break on the way: real feeds have them, and whoever reads one must survive it.

Only the feed breaks them. The shop's own books, the daily extract, keep the purchase as it was.
"""

from __future__ import annotations

from zlib import crc32

from shop.purchases import Facts

ONE_IN = 5_000
_MISSING_AMOUNT, _UNKNOWN_CURRENCY, _NEGATIVE_AMOUNT = 0, 1, 2
_WAYS = 4


def as_sent(purchase: Facts, seed: int) -> Facts:
    """The purchase as it goes over the wire: itself, but for one in 5,000."""
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
    return purchase | {"merchant_country": "Narnia"}
