"""Hold purchases with score and label as columns: the input of every evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudwatch.domain.arrays import Bools, Float64s, Int64s, UInt64s
from fraudwatch.domain.time_units import DAY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledScores:
    """Labelled purchases as columns of equal length; ties in a ranking are broken by lowest key.

    Keys are hashes, so that the numbering of cards or purchases has no influence.
    """

    transaction: UInt64s
    card: UInt64s
    event_at_ms: Int64s
    eur_cents: Float64s
    """NaN where the amount is unknown; such a purchase counts, its amount does not."""
    is_fraud: Bools

    @property
    def day(self) -> Int64s:
        """Days since 1970, UTC."""
        return self.event_at_ms // DAY_MS

    def fraud_eur_cents(self, among: Bools | None = None) -> float:
        """Return the amount of all frauds, or of those that are selected."""
        chosen = self.is_fraud if among is None else self.is_fraud & among
        return float(np.nansum(self.eur_cents[chosen]))


def ratio(part: float, whole: float) -> float:
    """Return a ratio; NaN if the whole is zero."""
    return part / whole if whole else float("nan")
