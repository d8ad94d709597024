"""Fold events into features, in order, through one compiled function for stream and batch.

The detector calls it per micro-batch on its state; batch jobs call the same function over
history; any chunking of the input gives the same bytes. It has no clock and no randomness, its
money is integer, and its floats are computed in a fixed order.
"""

from __future__ import annotations

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.features.beginning_anew import forget
from fraudwatch.domain.features.catalogue import (
    BEGINS_ANEW_MS,
    FEATURE_INDEX,
    FEATURES,
    FEATURES_VERSION,
    TOO_LATE_MS,
)
from fraudwatch.domain.features.compiled import compiled
from fraudwatch.domain.features.events import Events, Folded
from fraudwatch.domain.features.habits import (
    fold_amounts,
    fold_categories,
    fold_hours,
    fold_known,
)
from fraudwatch.domain.features.places import fold_position, fold_recency, write_address_distance
from fraudwatch.domain.features.state import HOURS_OF_DAY, RECENT_IDS, CustomerRows, CustomerState
from fraudwatch.domain.features.windows import fold_windows
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS
from fraudwatch.domain.views.catalogue import views_version

_ITEM_COUNT = FEATURE_INDEX["item_count"]
_AMOUNT = FEATURE_INDEX["amount_eur_cents"]
_HOUR_OF_DAY = FEATURE_INDEX["hour_of_day"]
_DAY_OF_WEEK = FEATURE_INDEX["day_of_week"]
_DAYS_OF_WEEK = 7
_EPOCH_DAY_OF_WEEK = 3  # 1970-01-01 was a Thursday


def fold(customers: CustomerState, events: Events) -> Folded:
    """Compute each event's features, then add the event to the state.

    Repeats and events that are too late change nothing.
    """
    rows = customers.rows_of(events.customer_key)
    features = np.full((len(rows), len(FEATURES)), np.nan)
    folded = Folded(features, *np.zeros((2, len(rows)), dtype=np.bool_))
    _fold(rows, events, customers.rows, folded)
    return folded


def features_version() -> str:
    """Return the version of the feature vector: equal versions, equal bytes for equal events.

    The columns of the risk views are part of the vector, so their version is part of this one.
    """
    return f"{FEATURES_VERSION}.{views_version()}"


@compiled
def _fold(rows: Int64s, events: Events, customers: CustomerRows, folded: Folded) -> None:
    for i in range(len(rows)):
        row = rows[i]
        if events.produced_at_ms[i] > customers.produced_at_ms[row] + BEGINS_ANEW_MS:
            forget(row, customers)
        if _is_repeat(row, events.transaction_key[i], customers):
            folded.is_repeat[i] = True
        elif events.event_at_ms[i] < customers.last_event_ms[row] - TOO_LATE_MS:
            folded.is_too_late[i] = True
        else:
            _add_recent_id(row, events.transaction_key[i], customers)
            customers.produced_at_ms[row] = events.produced_at_ms[i]
            _fold_one(i, row, events, customers, folded.features)


@compiled
def _fold_one(i: int, row: int, events: Events, customers: CustomerRows, out: Float64s) -> None:
    fold_windows(i, row, events, customers, out)
    fold_amounts(i, row, events, customers, out)
    fold_hours(i, row, events, customers, out)
    fold_categories(i, row, events, customers, out)
    fold_known(i, row, events, customers, out)
    fold_position(i, row, events, customers, out)
    fold_recency(i, row, events, customers, out)
    write_address_distance(i, events, out)
    out[i, _ITEM_COUNT] = events.item_count[i]
    out[i, _AMOUNT] = events.amount_eur_cents[i]
    out[i, _HOUR_OF_DAY] = events.event_at_ms[i] // HOUR_MS % HOURS_OF_DAY
    out[i, _DAY_OF_WEEK] = (events.event_at_ms[i] // DAY_MS + _EPOCH_DAY_OF_WEEK) % _DAYS_OF_WEEK


@compiled
def _is_repeat(row: int, key: np.uint64, customers: CustomerRows) -> bool:
    for slot in range(min(customers.recent_count[row], RECENT_IDS)):
        if customers.recent_ids[row, slot] == key:
            return True
    return False


@compiled
def _add_recent_id(row: int, key: np.uint64, customers: CustomerRows) -> None:
    """Add the id to the customer's last; the oldest is replaced."""
    customers.recent_ids[row, customers.recent_count[row] % RECENT_IDS] = key
    customers.recent_count[row] += 1
