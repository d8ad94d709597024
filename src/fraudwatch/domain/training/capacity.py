"""Find the score threshold at which alerts a day match the analysts' capacity."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s


class Threshold(NamedTuple):
    """Threshold of a score: an alert scores at least this."""

    score: float
    alerts_a_day: float


def score_at_capacity(score: Float64s, day: Int64s, alerts_a_day: int) -> Threshold:
    """Return the lowest threshold that keeps the mean alerts a day within the capacity.

    Purchases of equal score are alerts together or not at all, so ties may leave room. Where even
    the highest score has too many purchases, nothing is an alert: the threshold is just above it.
    """
    if not len(score):
        return Threshold(float("nan"), float("nan"))
    days = len(np.unique(day))
    ranked = -np.sort(-score)
    last_of_tie = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    within = last_of_tie[last_of_tie < days * alerts_a_day]
    if not len(within):
        return Threshold(float(np.nextafter(ranked[0], np.inf)), 0.0)
    return Threshold(float(ranked[within[-1]]), float(within[-1] + 1) / days)
