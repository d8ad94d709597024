"""Downsample genuine purchases for a training set that fits in memory.

All frauds are kept, and a uniform share of the genuine purchases, chosen by a hash of the id, so
that the same lake gives the same rows. Each kept genuine purchase has a weight that makes up for
those left out: probabilities stay calibrated. Test days are never downsampled.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """Sample of a training set: counts of both kinds, and the share of genuine ones kept."""

    frauds: int
    genuine: int
    genuine_ratio: float

    @property
    def genuine_weight(self) -> float:
        """Return the weight of each kept genuine purchase."""
        return 1.0 / self.genuine_ratio


def sample_of(frauds: int, genuine: int, max_rows: int) -> Sample:
    """Keep all frauds, and genuine purchases in the remaining rows: at least half of all rows."""
    rows_left = max(max_rows - frauds, max_rows // 2)
    return Sample(frauds, genuine, min(1.0, rows_left / genuine) if genuine else 1.0)
