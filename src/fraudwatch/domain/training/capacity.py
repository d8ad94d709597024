"""From which score on analysts get as many alerts a day as they can look at."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fraudwatch.domain.evaluation.labelled_scores import Floats, Integers


class Threshold(NamedTuple):
    """An alert is whatever scores at least this."""

    score: float
    alerts_a_day: float


def score_at_capacity(score: Floats, day: Integers, alerts_a_day: int) -> Threshold:
    """The lowest score that keeps the mean number of alerts a day within the capacity.

    Purchases of equal score are alerts together or not at all, so ties may leave room. Where even
    the highest score is given to too many, nothing is an alert: the threshold lies just above it.
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
