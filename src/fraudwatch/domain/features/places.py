"""Fold positions and times: distance and time since the last event, between the addresses."""

from __future__ import annotations

import math

from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.features import great_circle
from fraudwatch.domain.features.catalogue import FEATURE_INDEX
from fraudwatch.domain.features.compiled import compiled
from fraudwatch.domain.features.events import Events
from fraudwatch.domain.features.packed_rows import Row

_SINCE_LAST = FEATURE_INDEX["since_last_seconds"]
_SINCE_LOCATED = FEATURE_INDEX["since_located_seconds"]
_FROM_LOCATED_KM = FEATURE_INDEX["from_located_km"]
_FROM_LOCATED_KMH = FEATURE_INDEX["from_located_kmh"]
_BILLING_TO_SHIPPING_KM = FEATURE_INDEX["billing_to_shipping_km"]
_SHORTEST_TRAVEL_SECONDS = 60.0

great_circle_km = compiled(great_circle.great_circle_km)


@compiled
def fold_recency(i: int, row: Row, at_ms: int, out: Float64s) -> None:
    """Compute the time since the customer's last event, unknown for a late one."""
    if at_ms < row.last_event_ms:
        return
    if row.last_event_ms >= 0:
        out[i, _SINCE_LAST] = (at_ms - row.last_event_ms) / 1000.0
    row.last_event_ms = at_ms


@compiled
def fold_position(i: int, row: Row, events: Events, out: Float64s) -> None:
    """Compute distance, time and speed from the last place, and move it if this was approved."""
    at_ms = events.event_at_ms[i]
    if at_ms < row.located_ms:
        return
    seconds = (at_ms - row.located_ms) / 1000.0
    if row.located_ms >= 0:
        out[i, _SINCE_LOCATED] = seconds
    latitude, longitude = events.latitude[i], events.longitude[i]
    if not events.is_present[i] or not _is_place(latitude, longitude):
        return
    if row.located_ms >= 0:
        km = great_circle_km(row.located_latitude, row.located_longitude, latitude, longitude)
        out[i, _FROM_LOCATED_KM] = km
        out[i, _FROM_LOCATED_KMH] = km * 3600.0 / max(seconds, _SHORTEST_TRAVEL_SECONDS)
    if events.is_approved[i]:
        row.located_ms, row.located_latitude, row.located_longitude = at_ms, latitude, longitude


@compiled
def _is_place(latitude: float, longitude: float) -> bool:
    """Check that a position is known; terminals without one send 0, 0."""
    is_known = not (math.isnan(latitude) or math.isnan(longitude))
    return is_known and not (latitude == 0.0 and longitude == 0.0)


@compiled
def write_address_distance(i: int, events: Events, out: Float64s) -> None:
    """Write the distance between billing and shipping address; unknown if either address is."""
    from_latitude, from_longitude = events.billing_latitude[i], events.billing_longitude[i]
    to_latitude, to_longitude = events.shipping_latitude[i], events.shipping_longitude[i]
    if _is_place(from_latitude, from_longitude) and _is_place(to_latitude, to_longitude):
        out[i, _BILLING_TO_SHIPPING_KM] = great_circle_km(
            from_latitude, from_longitude, to_latitude, to_longitude
        )
