"""Bound a share from below, exactly (Clopper and Pearson 1934)."""

from __future__ import annotations

from scipy.stats import beta


def lowest_share(found: int, of: int, confidence: float = 0.95) -> float:
    """Return the share at which so many of them, or more, have a chance of 1 - confidence."""
    return float(beta.ppf(1.0 - confidence, found, of - found + 1)) if found else 0.0
