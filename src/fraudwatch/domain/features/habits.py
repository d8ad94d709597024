"""Fold the customer's baseline of amounts and hours.

Only approved purchases count: what a thief tries and does not get is no habit of the customer's.
"""

from __future__ import annotations

import math

from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.features.catalogue import (
    FEATURE_INDEX,
    LARGE_TIMES_USUAL,
    USUAL_FROM_PURCHASES,
)
from fraudwatch.domain.features.compiled import compiled
from fraudwatch.domain.features.customer_rows import HOURS_OF_DAY
from fraudwatch.domain.features.packed_rows import Row
from fraudwatch.domain.features.pages import PAGE_BITS, Pages, append, next_word
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS

_AMOUNT_MEAN = FEATURE_INDEX["own_amount_mean_eur_cents"]
_AMOUNT_DEVIATION = FEATURE_INDEX["own_amount_deviation_eur_cents"]
_AMOUNT_RATIO = FEATURE_INDEX["amount_over_own_mean_ratio"]
_USUAL_AMOUNT = FEATURE_INDEX["own_usual_amount_eur_cents"]
_USUAL_RATIO = FEATURE_INDEX["amount_over_own_usual_ratio"]
_HOUR_SHARE = FEATURE_INDEX["own_hour_share_ratio"]
_HALF_LIFE_MS = 30 * DAY_MS


@compiled
def fold_amounts(
    i: int,
    row: Row,
    amount: float,
    is_approved: bool,  # noqa: FBT001  compiled functions have positional arguments only
    out: Float64s,
) -> None:
    """Compute usual amount, mean and deviation (Welford's recurrence, in order of arrival)."""
    _fold_usual(i, row, amount, is_approved, out)
    count, mean = row.amount_count, row.amount_mean
    if count >= 1:
        out[i, _AMOUNT_MEAN] = mean
        if mean > 0:
            out[i, _AMOUNT_RATIO] = amount / mean
    if count > 1:
        out[i, _AMOUNT_DEVIATION] = math.sqrt(row.amount_square_sum / (count - 1))
    if is_approved:
        distance = amount - mean
        mean += distance / (count + 1)
        row.amount_count = count + 1
        row.amount_mean = mean
        row.amount_square_sum += distance * (amount - mean)


@compiled
def _fold_usual(
    i: int,
    row: Row,
    amount: float,
    is_approved: bool,  # noqa: FBT001  compiled functions have positional arguments only
    out: Float64s,
) -> None:
    count, usual = row.amount_count, row.usual_amount
    if count >= 1:
        out[i, _USUAL_AMOUNT] = usual
        if usual > 0:
            out[i, _USUAL_RATIO] = amount / usual
    if is_approved:
        counted = min(amount, large_from(row))
        row.usual_amount = usual + (counted - usual) / (count + 1)


@compiled
def large_from(row: Row) -> float:
    """Return the bound above which an amount is large; infinite before there is a usual amount."""
    usual = row.usual_amount
    if row.amount_count < USUAL_FROM_PURCHASES or usual <= 0:
        return math.inf
    return float(LARGE_TIMES_USUAL * usual)


@compiled
def fold_hours(
    i: int,
    row: Row,
    at_ms: int,
    is_approved: bool,  # noqa: FBT001  compiled functions have positional arguments only
    pages: Pages,
    weights: Float64s,
    out: Float64s,
) -> None:
    """Compute the share of this hour of the day; call before the last event's time is updated."""
    _read_hours(row, pages, weights)
    last_ms, added = row.last_event_ms, 1.0
    if at_ms > last_ms >= 0:
        weights *= 2.0 ** (-(at_ms - last_ms) / _HALF_LIFE_MS)
    elif at_ms < last_ms:
        added = 2.0 ** (-(last_ms - at_ms) / _HALF_LIFE_MS)
    hour = at_ms // HOUR_MS % HOURS_OF_DAY
    total = weights.sum()
    if total > 0:
        out[i, _HOUR_SHARE] = weights[hour] / total
    if is_approved:
        weights[hour] += added
        row.hour_bits |= 1 << hour
    _write_hours(row, pages, weights)


@compiled
def _read_hours(row: Row, pages: Pages, weights: Float64s) -> None:
    """Read the weights of all hours; only those with their bit set are stored."""
    address, number, bits = int(row.hour_page) << PAGE_BITS, 0, int(row.hour_bits)
    for hour in range(HOURS_OF_DAY):
        weights[hour] = 0.0
        if bits >> hour & 1:
            if number:
                address = next_word(address + 1, pages)
            weights[hour] = pages.words[address]
            number += 1


@compiled
def _write_hours(row: Row, pages: Pages, weights: Float64s) -> None:
    end, number, bits = 0, 0, int(row.hour_bits)
    for hour in range(HOURS_OF_DAY):
        if bits >> hour & 1:
            end = append(row.hour_page, end, pages)
            if number == 0:
                row.hour_page = end >> PAGE_BITS
            pages.words[end] = weights[hour]
            end, number = end + 1, number + 1
    row.hour_count = number
