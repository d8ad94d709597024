"""Bound a rate of rare events from above, exactly (Garwood 1936)."""

from __future__ import annotations

import math
from typing import Final

_HALVINGS: Final = 100


def highest_mean(events: int, confidence: float = 0.95) -> float:
    """Return the mean at which so few events, or fewer, have a chance of 1 - confidence."""
    low, high = 0.0, 20.0 + 2.0 * events
    for _ in range(_HALVINGS):
        mean = (low + high) / 2
        is_below = _chance_of_at_most(events, mean) > 1.0 - confidence
        low, high = (mean, high) if is_below else (low, mean)
    return high


def _chance_of_at_most(events: int, mean: float) -> float:
    logs = (i * math.log(mean) - mean - math.lgamma(i + 1) for i in range(events + 1))
    return math.fsum(math.exp(one) for one in logs)
