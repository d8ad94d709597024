"""Count what alerts, or one rule, detect: precision, recall and fraud amount."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudwatch.domain.arrays import Bools
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores, ratio
from fraudwatch.domain.time_units import DAY_MS


@dataclass(frozen=True, slots=True)
class DetectionCounts:
    """Number of hits, and the share of the frauds and of their amount among them."""

    hits: int
    frauds: int
    precision: float
    recall: float
    fraud_eur_cents: float
    value_ratio: float


def count_detections(labelled: LabelledScores, is_hit: Bools) -> DetectionCounts:
    """Compare hits with labels."""
    hits, frauds = int(is_hit.sum()), int((is_hit & labelled.is_fraud).sum())
    money = labelled.fraud_eur_cents(is_hit)
    return DetectionCounts(
        hits=hits,
        frauds=frauds,
        precision=ratio(frauds, hits),
        recall=ratio(frauds, int(labelled.is_fraud.sum())),
        fraud_eur_cents=money,
        value_ratio=ratio(money, labelled.fraud_eur_cents()),
    )


@dataclass(frozen=True, slots=True)
class FirstAlerts:
    """Time and loss of compromised cards until the first alert."""

    compromised_cards: int
    median_days: float
    """From a card's first fraud to its first alerted fraud, over cards that have one."""
    never_ratio: float
    """Share of compromised cards without any alerted fraud."""
    value_before_ratio: float
    """Share of the fraud amount before the first alert; of a card without one, all of it."""


def first_alerts(labelled: LabelledScores, is_alert: Bools) -> FirstAlerts:
    """Measure the time to the first alert on a fraud; alerts on genuine purchases do not count."""
    frauds = np.flatnonzero(labelled.is_fraud)
    frauds = frauds[np.lexsort((labelled.event_at_ms[frauds], labelled.card[frauds]))]
    _, starts, which = np.unique(labelled.card[frauds], return_index=True, return_inverse=True)
    at_ms = labelled.event_at_ms[frauds].astype(np.float64)
    alerted_at_ms = np.where(is_alert[frauds], at_ms, np.inf)
    if not len(starts):
        nan = float("nan")
        return FirstAlerts(0, nan, nan, nan)
    first_ms = np.minimum.reduceat(alerted_at_ms, starts)
    days = (first_ms - at_ms[starts]) / DAY_MS
    is_known = np.isfinite(days)
    money = labelled.eur_cents[frauds]
    return FirstAlerts(
        compromised_cards=len(starts),
        median_days=float(np.median(days[is_known])) if is_known.any() else float("nan"),
        never_ratio=ratio(int((~is_known).sum()), len(starts)),
        value_before_ratio=ratio(
            float(np.nansum(money[at_ms < first_ms[which]])), labelled.fraud_eur_cents()
        ),
    )
