"""Fold the customer's baseline: amounts, hours, categories, merchants, devices, countries.

Only approved purchases count: what a thief tries and does not get is no habit of the customer's.
"""

from __future__ import annotations

import math

from fraudwatch.domain.arrays import Float64s, Int64s, UInt64s
from fraudwatch.domain.features.catalogue import (
    FEATURE_INDEX,
    LARGE_TIMES_USUAL,
    USUAL_FROM_PURCHASES,
)
from fraudwatch.domain.features.compiled import compiled
from fraudwatch.domain.features.events import Events
from fraudwatch.domain.features.state import HOURS_OF_DAY, CustomerRows
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS

_AMOUNT_MEAN = FEATURE_INDEX["own_amount_mean_eur_cents"]
_AMOUNT_DEVIATION = FEATURE_INDEX["own_amount_deviation_eur_cents"]
_AMOUNT_RATIO = FEATURE_INDEX["amount_over_own_mean_ratio"]
_USUAL_AMOUNT = FEATURE_INDEX["own_usual_amount_eur_cents"]
_USUAL_RATIO = FEATURE_INDEX["amount_over_own_usual_ratio"]
_HOUR_SHARE = FEATURE_INDEX["own_hour_share_ratio"]
_CATEGORY_SHARE = FEATURE_INDEX["category_share_ratio"]
_NEW_MERCHANT = FEATURE_INDEX["is_new_merchant"]
_NEW_DEVICE = FEATURE_INDEX["is_new_device"]
_NEW_COUNTRY = FEATURE_INDEX["is_new_country"]
_KNOWN_MERCHANTS = FEATURE_INDEX["known_merchants_count"]
_KNOWN_DEVICES = FEATURE_INDEX["known_devices_count"]
_KNOWN_COUNTRIES = FEATURE_INDEX["known_countries_count"]
_HALF_LIFE_MS = 30 * DAY_MS
_UNKNOWN = 0
_NOT_FOUND = -1


@compiled
def fold_amounts(i: int, row: int, events: Events, customers: CustomerRows, out: Float64s) -> None:
    """Compute usual amount, mean and deviation (Welford's recurrence, in order of arrival)."""
    _fold_usual(i, row, events, customers, out)
    amount, count = float(events.amount_eur_cents[i]), customers.amount_count[row]
    mean = customers.amount_mean[row]
    if count >= 1:
        out[i, _AMOUNT_MEAN] = mean
        if mean > 0:
            out[i, _AMOUNT_RATIO] = amount / mean
    if count > 1:
        out[i, _AMOUNT_DEVIATION] = math.sqrt(customers.amount_square_sum[row] / (count - 1))
    if events.is_approved[i]:
        distance = amount - mean
        mean += distance / (count + 1)
        customers.amount_count[row] = count + 1
        customers.amount_mean[row] = mean
        customers.amount_square_sum[row] += distance * (amount - mean)


@compiled
def _fold_usual(i: int, row: int, events: Events, customers: CustomerRows, out: Float64s) -> None:
    amount, count = float(events.amount_eur_cents[i]), customers.amount_count[row]
    usual = customers.usual_amount[row]
    if count >= 1:
        out[i, _USUAL_AMOUNT] = usual
        if usual > 0:
            out[i, _USUAL_RATIO] = amount / usual
    if events.is_approved[i]:
        counted = min(amount, large_from(row, customers))
        customers.usual_amount[row] = usual + (counted - usual) / (count + 1)


@compiled
def large_from(row: int, customers: CustomerRows) -> float:
    """Return the bound above which an amount is large; infinite before there is a usual amount."""
    usual = customers.usual_amount[row]
    if customers.amount_count[row] < USUAL_FROM_PURCHASES or usual <= 0:
        return math.inf
    return float(LARGE_TIMES_USUAL * usual)


@compiled
def fold_hours(i: int, row: int, events: Events, customers: CustomerRows, out: Float64s) -> None:
    """Compute the share of this hour of the day; call before the last event's time is updated."""
    weights, last_ms = customers.hour_weight[row], customers.last_event_ms[row]
    at_ms, added = events.event_at_ms[i], 1.0
    if at_ms > last_ms >= 0:
        weights *= 2.0 ** (-(at_ms - last_ms) / _HALF_LIFE_MS)
    elif at_ms < last_ms:
        added = 2.0 ** (-(last_ms - at_ms) / _HALF_LIFE_MS)
    hour = at_ms // HOUR_MS % HOURS_OF_DAY
    total = weights.sum()
    if total > 0:
        out[i, _HOUR_SHARE] = weights[hour] / total
    if events.is_approved[i]:
        weights[hour] += added


@compiled
def fold_categories(
    i: int, row: int, events: Events, customers: CustomerRows, out: Float64s
) -> None:
    """Compute the share of this category among the customer's known ones."""
    key = events.category_key[i]
    if key == _UNKNOWN:
        return
    keys, latest_ms = customers.category_keys[row], customers.category_seen_ms[row]
    counts = customers.category_count[row]
    slot, total = _slot_of(key, keys, latest_ms), counts.sum()
    if total > 0:
        out[i, _CATEGORY_SHARE] = counts[slot] / total if slot >= 0 else 0.0
    if not events.is_approved[i]:
        return
    at_ms = events.event_at_ms[i]
    if slot < 0:
        slot = _slot_to_use(latest_ms, at_ms)
        if slot < 0:
            return
        keys[slot] = key
        counts[slot] = 0
    latest_ms[slot] = max(latest_ms[slot], at_ms)
    counts[slot] += 1


@compiled
def fold_known(i: int, row: int, events: Events, customers: CustomerRows, out: Float64s) -> None:
    """Check whether merchant, device and country are new, and count the known ones."""
    at_ms = events.event_at_ms[i]
    merchants, devices = customers.merchant_keys[row], customers.device_keys[row]
    countries, is_habit = customers.country_keys[row], events.is_approved[i]
    out[i, _NEW_MERCHANT], out[i, _KNOWN_MERCHANTS] = _fold_one(
        events.merchant_key[i], merchants, customers.merchant_seen_ms[row], at_ms, is_habit
    )
    out[i, _NEW_DEVICE], out[i, _KNOWN_DEVICES] = _fold_one(
        events.device_key[i], devices, customers.device_seen_ms[row], at_ms, is_habit
    )
    out[i, _NEW_COUNTRY], out[i, _KNOWN_COUNTRIES] = _fold_one(
        events.country_key[i], countries, customers.country_seen_ms[row], at_ms, is_habit
    )


@compiled
def _fold_one(
    key: int,
    keys: UInt64s,
    latest_ms: Int64s,
    at_ms: int,
    is_habit: bool,  # noqa: FBT001  compiled functions have positional arguments only
) -> tuple[float, float]:
    known = float((latest_ms >= 0).sum())
    if key == _UNKNOWN:
        return math.nan, known
    slot = _slot_of(key, keys, latest_ms)
    is_new = 1.0 if slot < 0 else 0.0
    if known == 0:
        is_new = math.nan
    if is_habit:
        if slot < 0:
            slot = _slot_to_use(latest_ms, at_ms)
        if slot >= 0:
            keys[slot] = key
            latest_ms[slot] = max(latest_ms[slot], at_ms)
    return is_new, known


@compiled
def _slot_of(key: int, keys: UInt64s, latest_ms: Int64s) -> int:
    for slot in range(len(keys)):
        if latest_ms[slot] >= 0 and keys[slot] == key:
            return slot
    return _NOT_FOUND


@compiled
def _slot_to_use(latest_ms: Int64s, at_ms: int) -> int:
    """Return a free slot, else the least recently used one (the first of equals).

    Not found when that one was used after this time.
    """
    slot = int(latest_ms.argmin())
    return slot if latest_ms[slot] <= at_ms else _NOT_FOUND
