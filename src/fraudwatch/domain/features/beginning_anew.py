"""Forget a customer's history: the row becomes that of a customer without one."""

from __future__ import annotations

import math

from fraudwatch.domain.features.compiled import compiled
from fraudwatch.domain.features.state import NEVER_MS, CustomerRows


@compiled
def forget(row: int, customers: CustomerRows) -> None:
    """Make a row that of a customer without history."""
    customers.produced_at_ms[row] = NEVER_MS
    customers.last_event_ms[row] = NEVER_MS
    customers.located_ms[row] = NEVER_MS
    customers.located_latitude[row] = customers.located_longitude[row] = math.nan
    customers.recent_ids[row], customers.recent_count[row] = 0, 0
    _forget_windows(row, customers)
    _forget_habits(row, customers)


@compiled
def _forget_windows(row: int, customers: CustomerRows) -> None:
    customers.tile_head[row] = customers.lost_tile[row] = NEVER_MS
    customers.purchase_count[row], customers.spend_eur_cents[row] = 0, 0
    customers.failed_count[row] = customers.small_count[row] = customers.large_count[row] = 0


@compiled
def _forget_habits(row: int, customers: CustomerRows) -> None:
    customers.amount_count[row], customers.amount_mean[row] = 0, 0.0
    customers.amount_square_sum[row] = customers.usual_amount[row] = 0.0
    customers.hour_weight[row] = 0.0
    customers.category_keys[row], customers.category_count[row] = 0, 0
    customers.merchant_keys[row] = customers.device_keys[row] = customers.country_keys[row] = 0
    customers.category_seen_ms[row] = customers.merchant_seen_ms[row] = NEVER_MS
    customers.device_seen_ms[row] = customers.country_seen_ms[row] = NEVER_MS
