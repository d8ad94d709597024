"""The one fold: events in order, one after the other, through one compiled function.

Streaming calls it per micro-batch on a living state; batch jobs call the same function over
history; any chunking of the input gives the same bytes. It has no clock and no randomness, its
money is integer, and its floats are computed in a fixed order.
"""

from __future__ import annotations

import hashlib
import inspect
import math
import sys
from functools import cache
from typing import NamedTuple

import llvmlite
import numba
import numpy as np
import numpy.typing as npt
from numba import njit

from fraudwatch.domain.features import catalogue, hashing, state
from fraudwatch.domain.features.catalogue import FEATURE_INDEX, FEATURES, WINDOWS
from fraudwatch.domain.features.state import (
    FIRST_SLOT_OF_WINDOW,
    RECENT_IDS,
    SLOTS_OF_WINDOW,
    TILE_MS_OF_WINDOW,
    CustomerRows,
    CustomerState,
    Int64s,
)

_WINDOWS = len(WINDOWS)
_PURCHASE_COUNT = FEATURE_INDEX[f"purchase_count_{WINDOWS[0].name}"]
_SPEND = FEATURE_INDEX[f"spend_{WINDOWS[0].name}_eur_cents"]
_FAILED_COUNT = FEATURE_INDEX[f"failed_count_{WINDOWS[0].name}"]
_SINCE_LAST = FEATURE_INDEX["since_last_seconds"]
_SINCE_LOCATED = FEATURE_INDEX["since_located_seconds"]
_FROM_LOCATED_KM = FEATURE_INDEX["from_located_km"]
_FROM_LOCATED_KMH = FEATURE_INDEX["from_located_kmh"]
_EARTH_RADIUS_KM = 6_371.0088  # mean radius, IUGG
_SHORTEST_TRAVEL_SECONDS = 60.0

Float64s = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Events(NamedTuple):
    """A run of transactions as columns, in the order of (partition, offset)."""

    customer_key: npt.NDArray[np.uint64]
    transaction_key: npt.NDArray[np.uint64]
    event_at_ms: Int64s
    amount_eur_cents: Int64s
    is_approved: Bools
    is_present: Bools
    latitude: Float64s  # NaN unknown
    longitude: Float64s  # NaN unknown


class Folded(NamedTuple):
    """What the fold says of each event: its feature vector, and was its id seen before."""

    features: Float64s  # [event, feature]; NaN unknown; undefined for a repeat
    is_repeat: Bools


def fold(customers: CustomerState, events: Events) -> Folded:
    """Read every event's features, then add it to its customer's row; repeats change nothing."""
    rows = customers.rows_of(events.customer_key)
    features = np.full((len(rows), len(FEATURES)), np.nan)
    is_repeat = np.zeros(len(rows), dtype=np.bool_)
    _fold(rows, events, customers.rows, features, is_repeat)
    return Folded(features, is_repeat)


@cache
def features_version() -> str:
    """Names the catalogue, the kernel and the compiler: equal versions mean equal bytes."""
    digest = hashlib.sha256()
    for module in (catalogue, hashing, state, sys.modules[__name__]):
        digest.update(inspect.getsource(module).encode())
    for version in (numba.__version__, llvmlite.__version__):
        digest.update(version.encode())
    return digest.hexdigest()[:16]


@njit(cache=True)
def _fold(
    rows: Int64s, events: Events, customers: CustomerRows, out: Float64s, is_repeat: Bools
) -> None:
    for i in range(len(rows)):
        row = rows[i]
        if _was_seen(row, events.transaction_key[i], customers):
            is_repeat[i] = True
            continue
        now = max(events.event_at_ms[i], customers.last_event_ms[row])
        _fold_windows(i, row, now, events, customers, out)
        _fold_recency(i, row, now, customers, out)
        _fold_position(i, row, now, events, customers, out)


@njit(cache=True)
def _was_seen(row: int, key: np.uint64, customers: CustomerRows) -> bool:
    """Is this id among the customer's last? If not, it is from now on; the oldest makes room."""
    seen = customers.recent_count[row]
    for place in range(min(seen, RECENT_IDS)):
        if customers.recent_ids[row, place] == key:
            return True
    customers.recent_ids[row, seen % RECENT_IDS] = key
    customers.recent_count[row] += 1
    return False


@njit(cache=True)
def _fold_windows(
    i: int, row: int, now: int, events: Events, customers: CustomerRows, out: Float64s
) -> None:
    for w in range(_WINDOWS):
        first, slots = FIRST_SLOT_OF_WINDOW[w], SLOTS_OF_WINDOW[w]
        tile = now // TILE_MS_OF_WINDOW[w]
        _turn_to(row, w, tile, customers)
        all_slots = slice(first, first + slots)
        out[i, _PURCHASE_COUNT + w] = customers.purchase_count[row, all_slots].sum()
        out[i, _SPEND + w] = customers.spend_eur_cents[row, all_slots].sum()
        out[i, _FAILED_COUNT + w] = customers.failed_count[row, all_slots].sum()
        slot = first + tile % slots
        if events.is_approved[i]:
            customers.purchase_count[row, slot] += 1
            customers.spend_eur_cents[row, slot] += events.amount_eur_cents[i]
        else:
            customers.failed_count[row, slot] += 1


@njit(cache=True)
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
    customers.tile_head[row, window] = tile


@njit(cache=True)
def _fold_recency(i: int, row: int, now: int, customers: CustomerRows, out: Float64s) -> None:
    if customers.last_event_ms[row] >= 0:
        out[i, _SINCE_LAST] = (now - customers.last_event_ms[row]) / 1000.0
    customers.last_event_ms[row] = now


@njit(cache=True)
def _fold_position(
    i: int, row: int, now: int, events: Events, customers: CustomerRows, out: Float64s
) -> None:
    located_ms = customers.located_ms[row]
    seconds = (now - located_ms) / 1000.0
    if located_ms >= 0:
        out[i, _SINCE_LOCATED] = seconds
    latitude, longitude = events.latitude[i], events.longitude[i]
    if not events.is_present[i] or math.isnan(latitude) or math.isnan(longitude):
        return
    if located_ms >= 0:
        km = great_circle_km(
            customers.located_latitude[row], customers.located_longitude[row], latitude, longitude
        )
        out[i, _FROM_LOCATED_KM] = km
        out[i, _FROM_LOCATED_KMH] = km * 3600.0 / max(seconds, _SHORTEST_TRAVEL_SECONDS)
    customers.located_ms[row] = now
    customers.located_latitude[row] = latitude
    customers.located_longitude[row] = longitude


@njit(cache=True)
def great_circle_km(
    latitude_1: float, longitude_1: float, latitude_2: float, longitude_2: float
) -> float:
    """Distance over the sphere between two positions in degrees (haversine formula)."""
    p1, p2 = math.radians(latitude_1), math.radians(latitude_2)
    half_p, half_l = (p2 - p1) / 2, math.radians(longitude_2 - longitude_1) / 2
    a = math.sin(half_p) ** 2 + math.cos(p1) * math.cos(p2) * math.sin(half_l) ** 2
    return 2 * _EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(a)))
