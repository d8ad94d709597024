"""Fold events into features, in order, through one compiled function for stream and batch.

The detector calls it per micro-batch on its state; batch jobs call the same function over
history; any chunking of the input gives the same bytes. It has no clock and no randomness, its
money is integer, and its floats are computed in a fixed order.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.features.catalogue import (
    BEGINS_ANEW_MS,
    FEATURE_INDEX,
    FEATURES,
    TOO_LATE_MS,
)
from fraudwatch.domain.features.compiled import compiled
from fraudwatch.domain.features.customer_rows import HOURS_OF_DAY, RECENT_IDS
from fraudwatch.domain.features.events import Events, Folded
from fraudwatch.domain.features.habits import fold_amounts, fold_hours
from fraudwatch.domain.features.known import fold_known, note_keys
from fraudwatch.domain.features.packed_rows import PackedRows, Row, forget
from fraudwatch.domain.features.pages import PAGE_BITS, PAGE_WORDS, Pages, append, next_word
from fraudwatch.domain.features.places import fold_position, fold_recency, write_address_distance
from fraudwatch.domain.features.scratch import Scratch
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.features.version import features_version
from fraudwatch.domain.features.windows import counts_of, fold_windows
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS

__all__ = ["features_version", "fold"]

_ITEM_COUNT = FEATURE_INDEX["item_count"]
_AMOUNT = FEATURE_INDEX["amount_eur_cents"]
_HOUR_OF_DAY = FEATURE_INDEX["hour_of_day"]
_DAY_OF_WEEK = FEATURE_INDEX["day_of_week"]
_DAYS_OF_WEEK = 7
# Bounds the memory that is reserved in case each event needs all that an event can.
_EVENTS_AT_ONCE: Final = 4_096
_EPOCH_DAY_OF_WEEK = 3  # 1970-01-01 was a Thursday


def fold(customers: CustomerState, events: Events) -> Folded:
    """Compute each event's features, then add the event to the state.

    Repeats and events that are too late change nothing.
    """
    count = len(events.customer_key)
    features = np.full((count, len(FEATURES)), np.nan)
    folded, scratch = Folded(features, *np.zeros((3, count), dtype=np.bool_)), Scratch.empty()
    for first in range(0, count, _EVENTS_AT_ONCE):
        rows = customers.rows_of(events.customer_key[first : first + _EVENTS_AT_ONCE])
        customers.reserve_pages(len(rows))
        _fold(first, rows, events, customers.packed, scratch, folded)
    return folded


@compiled
def _fold(
    first: int,
    rows: Int64s,
    events: Events,
    customers: PackedRows,
    scratch: Scratch,
    folded: Folded,
) -> None:
    """Fold the events from ``first`` on, as many as there are rows."""
    for place in range(len(rows)):
        row, i = customers.rows[rows[place]], first + place
        if events.produced_at_ms[i] > row.produced_at_ms + BEGINS_ANEW_MS:
            forget(row, customers)
        key = np.int64(events.transaction_key[i])
        if is_recent_id(row, key, customers.recent_ids):
            folded.is_repeat[i] = True
        elif events.event_at_ms[i] < row.last_event_ms - TOO_LATE_MS:
            folded.is_too_late[i] = True
        else:
            add_recent_id(row, key, customers.recent_ids)
            row.produced_at_ms = events.produced_at_ms[i]
            folded.is_late[i] = events.event_at_ms[i] < row.last_event_ms
            _fold_one(i, row, events, customers, scratch, folded.features)


@compiled
def _fold_one(
    i: int, row: Row, events: Events, customers: PackedRows, scratch: Scratch, out: Float64s
) -> None:
    at_ms, amount = events.event_at_ms[i], events.amount_eur_cents[i]
    approved = events.is_approved[i]
    added, spent = counts_of(amount, approved, row), amount if approved else 0
    fold_windows(i, row, at_ms, added, spent, customers.tiles, scratch.tiles, out)
    fold_amounts(i, row, float(amount), approved, out)
    fold_hours(i, row, at_ms, approved, customers.hour_weight, scratch.hour_weight, out)
    note_keys(i, events, scratch.known)
    fold_known(i, row, at_ms, approved, customers.known, scratch.known, out)
    fold_position(i, row, events, out)
    fold_recency(i, row, at_ms, out)
    write_address_distance(i, events, out)
    out[i, _ITEM_COUNT], out[i, _AMOUNT] = events.item_count[i], amount
    out[i, _HOUR_OF_DAY] = at_ms // HOUR_MS % HOURS_OF_DAY
    out[i, _DAY_OF_WEEK] = (at_ms // DAY_MS + _EPOCH_DAY_OF_WEEK) % _DAYS_OF_WEEK


@compiled
def is_recent_id(row: Row, key: int, ids: Pages) -> bool:
    """Check whether the id is one of the customer's last."""
    address = int(row.id_page) << PAGE_BITS
    for slot in range(min(row.recent_count, RECENT_IDS)):
        if slot:
            address = next_word(address + 1, ids)
        if ids.words[address] == key:
            return True
    return False


@compiled
def add_recent_id(row: Row, key: int, ids: Pages) -> None:
    """Add the id to the customer's last; the oldest is replaced."""
    slot, end = row.recent_count % RECENT_IDS, 0
    for _ in range(slot // PAGE_WORDS):
        end = append(row.id_page, end, ids) + PAGE_WORDS
    end = append(row.id_page, end, ids)
    if slot == 0:
        row.id_page = end >> PAGE_BITS
    ids.words[end + slot % PAGE_WORDS] = key
    row.recent_count += 1
