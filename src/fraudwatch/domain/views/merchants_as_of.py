"""Compute the merchants' view columns point in time, for any hours of the past at once."""

from __future__ import annotations

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.views.catalogue import PLAIN_FRAUD_DAYS, SMOOTHING_PURCHASES, WINDOW_MS
from fraudwatch.domain.views.fraud_streaks import MaturePurchases, fraud_streaks
from fraudwatch.domain.views.past import (
    FraudIntervals,
    LabelChanges,
    PastPurchases,
    are_plain,
    fraud_intervals,
)
from fraudwatch.domain.views.spans import Entities, IntervalQuery, Spans

Columns = dict[str, Float64s]


def merchants_as_of(
    purchases: PastPurchases, labels: LabelChanges, merchants: Entities, label_delay_ms: int
) -> Columns:
    """Return the merchants' columns as stored in views, except the count of customers."""
    past, place = _mature_purchases(purchases, merchants, label_delay_ms)
    intervals = fraud_intervals(labels)
    intervals = intervals.among(purchases.is_approved[intervals.row])
    is_plain = are_plain(purchases, intervals.row)
    intervals = intervals._replace(row=place[intervals.row])
    query, plain = merchants.query, intervals.among(is_plain)
    counts = {
        "merchant_purchases_30d": Spans.of(
            past.merchant, past.event_at_ms, past.event_at_ms + WINDOW_MS
        ),
        **{
            f"merchant_plain_frauds_{days}d": _frauds(past, plain, past.merchant, days * DAY_MS)
            for days in PLAIN_FRAUD_DAYS
        },
    }
    return {
        "merchant_fraud_ratio_30d": _ratio(past, intervals, query),
        **{name: spans.count(query).astype(np.float64) for name, spans in counts.items()},
        **fraud_streaks(past, intervals, is_plain, query),
    }


def _mature_purchases(
    purchases: PastPurchases, merchants: Entities, label_delay_ms: int
) -> tuple[MaturePurchases, Int64s]:
    """Return the approved purchases in their order, and the place of each row in it."""
    approved = np.flatnonzero(purchases.is_approved)
    number, at_ms = merchants.number[approved], purchases.event_at_ms[approved]
    order = np.lexsort((at_ms, number))
    place = np.full(len(purchases.event_at_ms), -1)
    place[approved[order]] = np.arange(len(order))
    return MaturePurchases(number[order], at_ms[order], label_delay_ms), place


def _ratio(past: MaturePurchases, intervals: FraudIntervals, query: IntervalQuery) -> Float64s:
    """Compute the merchant's fraud ratio, smoothed towards that of all merchants in that hour."""
    known = past.spans(past.merchant).count(query)
    frauds = _frauds(past, intervals, past.merchant, WINDOW_MS).count(query)
    hours, which = np.unique(query.hour, return_inverse=True)
    all_merchants = np.zeros_like(past.merchant)
    at_hours = IntervalQuery(np.zeros_like(hours), hours)
    all_frauds = _frauds(past, intervals, all_merchants, WINDOW_MS).count(at_hours)
    with np.errstate(invalid="ignore"):
        base_ratio = all_frauds / past.spans(all_merchants).count(at_hours)
    smoothed = (frauds + SMOOTHING_PURCHASES * base_ratio[which]) / (known + SMOOTHING_PURCHASES)
    return np.where(known > 0, smoothed, np.nan)


def _frauds(
    past: MaturePurchases, intervals: FraudIntervals, owner: Int64s, window_ms: int
) -> Spans:
    """Return the span in which each known fraud counts: old enough and within the window."""
    old_ms = past.event_at_ms[intervals.row] + past.label_delay_ms
    after_ms = np.maximum(old_ms, intervals.known_at_ms)
    return Spans.of(
        owner[intervals.row], after_ms, np.minimum(old_ms + window_ms, intervals.until_ms)
    )
