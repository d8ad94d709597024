"""What a yes or no finds: all alerts, or one rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudwatch.domain.evaluation.labelled_scores import DAY_MS, Flags, Judged, ratio


@dataclass(frozen=True, slots=True)
class Found:
    """How many were marked, and what share of the frauds and their money is among them."""

    hits: int
    frauds: int
    precision: float
    recall: float
    fraud_eur_cents: float
    value_ratio: float


def found_by(judged: Judged, is_hit: Flags) -> Found:
    """Hold one mark a purchase against the truth."""
    hits, frauds = int(is_hit.sum()), int((is_hit & judged.is_fraud).sum())
    money = judged.fraud_eur_cents(is_hit)
    return Found(
        hits=hits,
        frauds=frauds,
        precision=ratio(frauds, hits),
        recall=ratio(frauds, int(judged.is_fraud.sum())),
        fraud_eur_cents=money,
        value_ratio=ratio(money, judged.fraud_eur_cents()),
    )


@dataclass(frozen=True, slots=True)
class FirstAlerts:
    """What holders of compromised cards feel."""

    compromised_cards: int
    median_days: float
    """From a card's first fraud to its first alerted fraud, over cards that have one."""
    never_ratio: float
    """Share of compromised cards without any alerted fraud."""
    value_before_ratio: float
    """Share of the fraud money that was taken before; of a card never alerted, all of it."""


def first_alerts(judged: Judged, is_alert: Flags) -> FirstAlerts:
    """Only an alert on a fraud counts: one on a genuine purchase finds no thief."""
    frauds = np.flatnonzero(judged.is_fraud)
    frauds = frauds[np.lexsort((judged.event_at_ms[frauds], judged.card[frauds]))]
    _, starts, which = np.unique(judged.card[frauds], return_index=True, return_inverse=True)
    at_ms = judged.event_at_ms[frauds].astype(np.float64)
    alerted_at_ms = np.where(is_alert[frauds], at_ms, np.inf)
    if not len(starts):
        nan = float("nan")
        return FirstAlerts(0, nan, nan, nan)
    first_ms = np.minimum.reduceat(alerted_at_ms, starts)
    days = (first_ms - at_ms[starts]) / DAY_MS
    is_known = np.isfinite(days)
    money = judged.eur_cents[frauds]
    return FirstAlerts(
        compromised_cards=len(starts),
        median_days=float(np.median(days[is_known])) if is_known.any() else float("nan"),
        never_ratio=ratio(int((~is_known).sum()), len(starts)),
        value_before_ratio=ratio(
            float(np.nansum(money[at_ms < first_ms[which]])), judged.fraud_eur_cents()
        ),
    )
