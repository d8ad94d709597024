"""Bound a share from below, exactly (Clopper and Pearson 1934)."""

from __future__ import annotations

import math
from typing import Final

_HALVINGS: Final = 60


def lowest_share(found: int, of: int, confidence: float = 0.95) -> float:
    """Return the share at which so many of them, or more, have a chance of 1 - confidence."""
    if found == 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        share = (low + high) / 2
        is_below = _chance_of_at_least(found, of, share) < 1.0 - confidence
        low, high = (share, high) if is_below else (low, share)
    return low


def _chance_of_at_least(found: int, of: int, share: float) -> float:
    return math.fsum(
        math.exp(
            math.lgamma(of + 1)
            - math.lgamma(n + 1)
            - math.lgamma(of - n + 1)
            + n * math.log(share)
            + (of - n) * math.log1p(-share)
        )
        for n in range(found, of + 1)
    )
