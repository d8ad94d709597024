"""Bound a rate of rare events from above, exactly (Garwood 1936)."""

from __future__ import annotations

from scipy.stats import chi2


def highest_mean(events: int, confidence: float = 0.95) -> float:
    """Return the mean at which so few events, or fewer, have a chance of 1 - confidence."""
    return float(chi2.ppf(confidence, 2 * (events + 1)) / 2)
