"""Map purchases to rows of ``purchase_by_token``, which finds case links; without the driver.

A row names a purchase, at its card, its device and its network each: see docs/adr/0026. Its
purchase is read from ``transaction_by_customer``, so that the message is stored once.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from fraudwatch.adapters.store.rows import Table
from fraudwatch.application.console.casework import Shared
from fraudwatch.domain.instants import day_of
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.time_units import DAY_MS

# Few, so that rows of one batch share partitions: with 256 all rows of a purchase cost Cassandra a
# fifth more, with a partition a token two fifths (docs/adr/0026). A day of 23 million purchases
# makes partitions of 100 MB.
SHARES = 64


class TokenLink(NamedTuple):
    """One purchase at one of the tokens that it may share with others."""

    shared: str
    shared_token: str
    event_at_ms: int
    transaction_id: str
    customer_token: str


_NAMES = tuple(str(shared) for shared in Shared)
_tokens_of = attrgetter(*_NAMES)


def links_of(purchase: Transaction) -> Iterator[TokenLink]:
    """Yield the links of a purchase: none for a token that is not known."""
    at_ms, name, customer = purchase.event_at_ms, purchase.transaction_id, purchase.customer_token
    for shared, token in zip(_NAMES, _tokens_of(purchase), strict=True):
        if token is not None:
            yield TokenLink(shared, token, at_ms, name, customer)


def bucket_of(token: str, epoch_ms: int) -> str:
    """Return the partition of a token's purchases of a UTC day."""
    # A fixed hash: Python's own differs from process to process.
    return f"{_day_of(epoch_ms // DAY_MS)}:{zlib.crc32(token.encode()) % SHARES:02}"


# Nearly all purchases of a batch are of one day.
@lru_cache(maxsize=1_000)
def _day_of(day: int) -> str:
    return day_of(day * DAY_MS)


LINKS = Table(
    name="purchase_by_token",
    message=TokenLink,
    partition=("bucket",),
    written_at="event_at_ms",
    plain=("shared", "shared_token", "event_at_ms", "transaction_id", "customer_token"),
    computed={"bucket": lambda link: bucket_of(link.shared_token, link.event_at_ms)},
)
