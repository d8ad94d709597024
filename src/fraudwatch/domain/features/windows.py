"""Count purchases and sum spend in windows of whole tiles (velocity); semantics: the catalogue."""

from __future__ import annotations

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


@compiled
def fold_windows(
    i: int, row: int, now: int, events: Events, customers: CustomerRows, out: Float64s
) -> None:
    """Compute every window's counts and sums, then add this event to its tile."""
    amount = events.amount_eur_cents[i]
    is_large = amount > large_from(row, customers)
    for w in range(_WINDOWS):
        first, slots = FIRST_SLOT_OF_WINDOW[w], SLOTS_OF_WINDOW[w]
        tile = now // TILE_MS_OF_WINDOW[w]
        _turn_to(row, w, tile, customers)
        all_slots = slice(first, first + slots)
        out[i, _PURCHASE_COUNT + w] = customers.purchase_count[row, all_slots].sum()
        out[i, _SPEND + w] = customers.spend_eur_cents[row, all_slots].sum()
        out[i, _FAILED_COUNT + w] = customers.failed_count[row, all_slots].sum()
        out[i, _SMALL_COUNT + w] = customers.small_count[row, all_slots].sum()
        out[i, _LARGE_COUNT + w] = customers.large_count[row, all_slots].sum()
        if w == _WINDOW_OF_DAYS:  # its tiles are days
            out[i, _PURCHASE_DAYS] = (customers.purchase_count[row, all_slots] > 0).sum()
        slot = first + tile % slots
        customers.small_count[row, slot] += amount < SMALL_AMOUNT_EUR_CENTS
        customers.large_count[row, slot] += is_large
        if events.is_approved[i]:
            customers.purchase_count[row, slot] += 1
            customers.spend_eur_cents[row, slot] += amount
        else:
            customers.failed_count[row, slot] += 1


@compiled
def _turn_to(row: int, window: int, tile: int, customers: CustomerRows) -> None:
    """Empty the slots of the tiles that began since the customer's last event."""
    first, slots = FIRST_SLOT_OF_WINDOW[window], SLOTS_OF_WINDOW[window]
    head = customers.tile_head[row, window]
    if head >= 0:
        for step in range(1, min(tile - head, slots) + 1):
            slot = first + (head + step) % slots
            customers.purchase_count[row, slot] = 0
            customers.spend_eur_cents[row, slot] = 0
            customers.failed_count[row, slot] = 0
            customers.small_count[row, slot] = 0
            customers.large_count[row, slot] = 0
    customers.tile_head[row, window] = tile
