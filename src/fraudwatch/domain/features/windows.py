"""Count purchases and sum spend in windows of whole tiles (velocity); semantics: the catalogue."""

from __future__ import annotations

import math

from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.features.catalogue import FEATURE_INDEX, SMALL_AMOUNT_EUR_CENTS, WINDOWS
from fraudwatch.domain.features.compiled import compiled
from fraudwatch.domain.features.events import Events
from fraudwatch.domain.features.habits import large_from
from fraudwatch.domain.features.state import (
    FIRST_SLOT_OF_WINDOW,
    SLOTS_OF_WINDOW,
    TILE_MS_OF_WINDOW,
    CustomerRows,
)

_WINDOWS = len(WINDOWS)
_PURCHASE_COUNT = FEATURE_INDEX[f"purchase_count_{WINDOWS[0].name}"]
_SPEND = FEATURE_INDEX[f"spend_{WINDOWS[0].name}_eur_cents"]
_FAILED_COUNT = FEATURE_INDEX[f"failed_count_{WINDOWS[0].name}"]
_PURCHASE_DAYS = FEATURE_INDEX["purchase_days_30d"]
_WINDOW_OF_DAYS = [window.name for window in WINDOWS].index("30d")
_SMALL_COUNT = FEATURE_INDEX[f"small_count_{WINDOWS[0].name}"]
_LARGE_COUNT = FEATURE_INDEX[f"large_count_{WINDOWS[0].name}"]
_OF_WINDOW = (_PURCHASE_COUNT, _SPEND, _FAILED_COUNT, _SMALL_COUNT, _LARGE_COUNT)


@compiled
def fold_windows(i: int, row: int, events: Events, customers: CustomerRows, out: Float64s) -> None:
    """Compute every window's counts and sums, then add this event to its tile."""
    is_large = events.amount_eur_cents[i] > large_from(row, customers)
    for w in range(_WINDOWS):
        tile = events.event_at_ms[i] // TILE_MS_OF_WINDOW[w]
        _turn_to(row, w, tile, customers)
        first_tile = tile - SLOTS_OF_WINDOW[w] + 1
        if customers.lost_tile[row, w] >= first_tile:
            _write_unknown(i, w, out)
        else:
            _write_sums(i, row, w, tile, customers, out)
        if tile > customers.tile_head[row, w] - SLOTS_OF_WINDOW[w]:
            slot = FIRST_SLOT_OF_WINDOW[w] + tile % SLOTS_OF_WINDOW[w]
            _add(i, row, slot, is_large, events, customers)
        else:
            customers.lost_tile[row, w] = max(customers.lost_tile[row, w], tile)


@compiled
def _write_unknown(i: int, window: int, out: Float64s) -> None:
    for first in _OF_WINDOW:
        out[i, first + window] = math.nan
    if window == _WINDOW_OF_DAYS:
        out[i, _PURCHASE_DAYS] = math.nan


@compiled
def _write_sums(
    i: int, row: int, window: int, tile: int, customers: CustomerRows, out: Float64s
) -> None:
    """Sum the tiles that the ring still holds, up to this one."""
    first, slots = FIRST_SLOT_OF_WINDOW[window], SLOTS_OF_WINDOW[window]
    purchases = failed = small = large = days = 0
    spend = 0
    for one in range(customers.tile_head[row, window] - slots + 1, tile + 1):
        slot = first + one % slots
        purchases += customers.purchase_count[row, slot]
        spend += customers.spend_eur_cents[row, slot]
        failed += customers.failed_count[row, slot]
        small += customers.small_count[row, slot]
        large += customers.large_count[row, slot]
        days += customers.purchase_count[row, slot] > 0
    out[i, _PURCHASE_COUNT + window] = purchases
    out[i, _SPEND + window] = spend
    out[i, _FAILED_COUNT + window] = failed
    out[i, _SMALL_COUNT + window] = small
    out[i, _LARGE_COUNT + window] = large
    if window == _WINDOW_OF_DAYS:  # its tiles are days
        out[i, _PURCHASE_DAYS] = days


@compiled
def _add(
    i: int,
    row: int,
    slot: int,
    is_large: bool,  # noqa: FBT001  compiled functions have positional arguments only
    events: Events,
    customers: CustomerRows,
) -> None:
    amount = events.amount_eur_cents[i]
    customers.small_count[row, slot] += amount < SMALL_AMOUNT_EUR_CENTS
    customers.large_count[row, slot] += is_large
    if events.is_approved[i]:
        customers.purchase_count[row, slot] += 1
        customers.spend_eur_cents[row, slot] += amount
    else:
        customers.failed_count[row, slot] += 1


@compiled
def _turn_to(row: int, window: int, tile: int, customers: CustomerRows) -> None:
    """Empty the slots of the tiles that began since the customer's last event.

    Remembers the newest tile with an event that is no longer kept.
    """
    first, slots = FIRST_SLOT_OF_WINDOW[window], SLOTS_OF_WINDOW[window]
    head = customers.tile_head[row, window]
    if head < 0:
        customers.tile_head[row, window] = tile
    elif tile > head:
        for old in range(head - slots + 1, min(tile - slots, head) + 1):
            slot = first + old % slots
            if customers.purchase_count[row, slot] + customers.failed_count[row, slot] > 0:
                customers.lost_tile[row, window] = old
            customers.purchase_count[row, slot] = 0
            customers.spend_eur_cents[row, slot] = 0
            customers.failed_count[row, slot] = 0
            customers.small_count[row, slot] = 0
            customers.large_count[row, slot] = 0
        customers.tile_head[row, window] = tile
