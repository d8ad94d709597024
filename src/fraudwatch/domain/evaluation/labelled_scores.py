"""Purchases whose verdict and whose truth are both known: what every number is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DAY_MS = 86_400_000

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Columns of equal length. Ties in any ranking are broken by the keys, lowest first.

    Keys are hashes, so that the order in which cards or purchases are numbered favours nobody.
    """

    transaction: Keys
    card: Keys
    event_at_ms: Integers
    eur_cents: Floats
    """NaN where the amount is unknown; such a purchase counts, its money does not."""
    is_fraud: Flags

    @property
    def day(self) -> Integers:
        """Days since 1970, UTC."""
        return self.event_at_ms // DAY_MS

    def fraud_eur_cents(self, among: Flags | None = None) -> float:
        """The money of all frauds, or of those that are marked."""
        chosen = self.is_fraud if among is None else self.is_fraud & among
        return float(np.nansum(self.eur_cents[chosen]))


def ratio(part: float, whole: float) -> float:
    """A share; of nothing it is unknown."""
    return part / whole if whole else float("nan")
