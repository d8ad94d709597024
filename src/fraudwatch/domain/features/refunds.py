"""Take back spend: a refund reduces the tiles of the purchase that it names, where still kept.

A refund changes the sums of spend and nothing else: the purchase was made, so counts, habits and
places stay. It never makes a tile's spend negative, and it does not count as a message after which
a customer begins anew.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Bools, Int64s, UInt64s
from fraudwatch.domain.features.catalogue import BEGINS_ANEW_MS, WINDOWS
from fraudwatch.domain.features.compiled import compiled
from fraudwatch.domain.features.fold import add_recent_id, is_recent_id
from fraudwatch.domain.features.packed_rows import PackedRows, Row
from fraudwatch.domain.features.pages import PAGE_BITS, Pages, next_word
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.features.windows import (
    KIND_MASK,
    KIND_SHIFT,
    LOW_SPEND,
    TILE_MASK,
    TILE_MS_OF_WINDOW,
    TILE_SHIFT,
)

_WINDOWS = len(WINDOWS)


class Refunds(NamedTuple):
    """Batch of refunds in the order of (partition, offset)."""

    customer_key: UInt64s
    refund_key: UInt64s  # fixed hash of the refund's own id; no transaction has it
    purchased_at_ms: Int64s  # time of the purchase
    produced_at_ms: Int64s
    amount_eur_cents: Int64s


def fold_refunds(customers: CustomerState, refunds: Refunds) -> Bools:
    """Take the refunds back from their customers' spend; return which are repeats."""
    rows = customers.rows_of(refunds.customer_key)
    customers.reserve_pages(len(rows))
    is_repeated = np.zeros(len(rows), dtype=np.bool_)
    _fold(rows, refunds, customers.packed, is_repeated)
    return is_repeated


@compiled
def _fold(rows: Int64s, refunds: Refunds, customers: PackedRows, is_repeated: Bools) -> None:
    for i in range(len(rows)):
        row = customers.rows[rows[i]]
        if refunds.produced_at_ms[i] > row.produced_at_ms + BEGINS_ANEW_MS:
            continue  # the next purchase forgets this history
        key = np.int64(refunds.refund_key[i])
        if is_recent_id(row, key, customers.recent_ids):
            is_repeated[i] = True
        else:
            add_recent_id(row, key, customers.recent_ids)
            _take_back(
                row, refunds.purchased_at_ms[i], refunds.amount_eur_cents[i], customers.tiles
            )


@compiled
def _take_back(row: Row, at_ms: int, amount: int, tiles: Pages) -> None:
    """Reduce the spend of a time's tiles, where they are still kept; never below zero."""
    for w in range(_WINDOWS):
        tile, own, rest = at_ms // TILE_MS_OF_WINDOW[w], 0, 0
        address = int(row.tile_page) << PAGE_BITS
        for number in range(int(row.tile_count)):
            if number:
                address = next_word(address + 2, tiles)
            about = tiles.words[address]
            if (about >> TILE_SHIFT) & TILE_MASK == tile:
                kind = (about >> KIND_SHIFT) & KIND_MASK
                if kind == w:
                    own = address
                elif kind == w + _WINDOWS:
                    rest = address
        if own:
            spend = tiles.words[own] & LOW_SPEND
            if rest:
                spend += tiles.words[rest + 1] << TILE_SHIFT
            spend = max(0, spend - amount)
            tiles.words[own] = tiles.words[own] & ~LOW_SPEND | spend & LOW_SPEND
            if rest:
                tiles.words[rest + 1] = spend >> TILE_SHIFT
