"""What views knew of merchants, at any hours of the past at once."""

from __future__ import annotations

import numpy as np

from fraudwatch.domain.features.catalogue import DAY_MS
from fraudwatch.domain.views.catalogue import PLAIN_FRAUD_DAYS, SMOOTHING_PURCHASES, WINDOW_MS
from fraudwatch.domain.views.fraud_streaks import OldEnough, fraud_runs
from fraudwatch.domain.views.past import (
    FraudSpells,
    PastPurchases,
    TruthChanges,
    are_plain,
    fraud_spells,
)
from fraudwatch.domain.views.spans import Asked, Entities, Int64s, Spans
from fraudwatch.domain.views.view import Float64s

Columns = dict[str, Float64s]


def merchants_as_of(
    purchases: PastPurchases, truths: TruthChanges, merchants: Entities, label_delay_ms: int
) -> Columns:
    """The merchants' columns of views as they hold them, but for their customers."""
    past, place = _old_enough(purchases, merchants, label_delay_ms)
    spells = fraud_spells(truths)
    spells = spells.among(purchases.is_approved[spells.row])
    is_plain = are_plain(purchases, spells.row)
    spells = spells._replace(row=place[spells.row])
    asked, plain = merchants.asked, spells.among(is_plain)
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
        "merchant_fraud_ratio_30d": _ratio(past, spells, asked),
        **{name: spans.count(asked).astype(np.float64) for name, spans in counts.items()},
        **fraud_runs(past, spells, is_plain, asked),
    }


def _old_enough(
    purchases: PastPurchases, merchants: Entities, label_delay_ms: int
) -> tuple[OldEnough, Int64s]:
    """The approved purchases in their order, and the place of each row in it."""
    approved = np.flatnonzero(purchases.is_approved)
    number, at_ms = merchants.number[approved], purchases.event_at_ms[approved]
    order = np.lexsort((at_ms, number))
    place = np.full(len(purchases.event_at_ms), -1)
    place[approved[order]] = np.arange(len(order))
    return OldEnough(number[order], at_ms[order], label_delay_ms), place


def _ratio(past: OldEnough, spells: FraudSpells, asked: Asked) -> Float64s:
    """The merchant's share of fraud, smoothed towards everybody's of the same hour."""
    known = past.spans(past.merchant).count(asked)
    frauds = _frauds(past, spells, past.merchant, WINDOW_MS).count(asked)
    hours, which = np.unique(asked.hour, return_inverse=True)
    everybody = np.zeros_like(past.merchant)
    at_hours = Asked(np.zeros_like(hours), hours)
    all_frauds = _frauds(past, spells, everybody, WINDOW_MS).count(at_hours)
    with np.errstate(invalid="ignore"):
        usual = all_frauds / past.spans(everybody).count(at_hours)
    smoothed = (frauds + SMOOTHING_PURCHASES * usual[which]) / (known + SMOOTHING_PURCHASES)
    return np.where(known > 0, smoothed, np.nan)


def _frauds(past: OldEnough, spells: FraudSpells, whose: Int64s, window_ms: int) -> Spans:
    """From when until when each known fraud counts among those old enough, in the window."""
    old_ms = past.event_at_ms[spells.row] + past.label_delay_ms
    after_ms = np.maximum(old_ms, spells.known_at_ms)
    return Spans.of(whose[spells.row], after_ms, np.minimum(old_ms + window_ms, spells.until_ms))
