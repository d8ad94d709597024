"""Compare a canary with the champion on the same days, and decide whether it leaves the band.

Both groups are customers drawn by a hash, so what they buy differs by chance alone. Then three
numbers per purchase must agree within a band: alerts, declines, and the score itself. The score is
a probability of fraud and both groups have the same share of fraud, so the sum of the scores is a
test of the calibration that needs no labels (calibration in the large).

Purchases of one customer are alike, and one attack gives one customer many alerts. So each group is
split into buckets of customers, and the spread between buckets is the variance: the random groups
method (Wolter, Introduction to Variance Estimation, 2007, chapter 2), with the variance of
independent purchases as its lower bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

BUCKETS: Final = 64
LEAST_PURCHASES: Final = 1_000
"""Purchases that the canary must have scored before anything is compared."""
LEAST_DEVIATIONS: Final = 4.0
"""Standard deviations beyond the band. It is tested again and again, so it is a strict limit."""


class Measure(NamedTuple):
    """Number per purchase that is compared, and how far the canary's may be from the champion's."""

    name: str
    words: str
    least_ratio: float
    most_ratio: float


MEASURES: Final = (
    Measure("alerts", "alerts per purchase", 0.5, 2.0),
    Measure("declines", "declines per purchase", 0.5, 2.0),
    Measure("score", "mean score (calibration)", 0.5, 2.0),
)


class Sum(NamedTuple):
    """Sum of a measure, and of its squares."""

    total: float = 0.0
    squares: float = 0.0

    def plus(self, value: float) -> Sum:
        """Add a purchase."""
        return Sum(self.total + value, self.squares + value * value)


@dataclass(slots=True)
class Bucket:
    """Purchases of some customers of a group, and the sums of their measures."""

    purchases: int = 0
    sums: dict[str, Sum] = field(default_factory=dict)

    def add(self, values: Mapping[str, float]) -> None:
        """Add a purchase."""
        self.purchases += 1
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, Sum()).plus(value)


@dataclass(slots=True)
class Group:
    """Customers whom one model scores, in buckets."""

    buckets: list[Bucket] = field(default_factory=lambda: [Bucket() for _ in range(BUCKETS)])

    @property
    def purchases(self) -> int:
        """Number of purchases."""
        return sum(bucket.purchases for bucket in self.buckets)

    def total(self, name: str) -> float:
        """Sum of a measure."""
        return sum(bucket.sums.get(name, Sum()).total for bucket in self.buckets)

    def squares(self, name: str) -> float:
        """Sum of a measure's squares."""
        return sum(bucket.sums.get(name, Sum()).squares for bucket in self.buckets)

    def ratio(self, name: str) -> float:
        """Mean of a measure per purchase; NaN without purchases."""
        return self.total(name) / self.purchases if self.purchases else math.nan

    def variance(self, name: str) -> float:
        """Variance of the sum of a measure, given the numbers of purchases."""
        mean = self.ratio(name)
        spread = sum(
            (bucket.sums.get(name, Sum()).total - mean * bucket.purchases) ** 2
            for bucket in self.buckets
        )
        return max(spread * BUCKETS / (BUCKETS - 1), self.squares(name))


class Deviation(NamedTuple):
    """Measure by which the canary left the band."""

    measure: Measure
    of_canary: float
    of_champion: float
    deviations: float

    @property
    def sentence(self) -> str:
        """Reason in words, without a full stop."""
        band = f"{self.measure.least_ratio:g} to {self.measure.most_ratio:g}"
        return (
            f"{self.measure.words}: {self.of_canary:.5f} of the canary and "
            f"{self.of_champion:.5f} of the champion; the band is {band} times the champion's, and "
            f"it is {self.deviations:.1f} standard deviations outside"
        )


def deviation_of(canary: Group, champion: Group) -> Deviation | None:
    """Return the first measure by which the canary is certainly outside the band; None: it is not.

    Too few purchases decide nothing.
    """
    if canary.purchases < LEAST_PURCHASES or champion.purchases < LEAST_PURCHASES:
        return None
    found = (_deviation(measure, canary, champion) for measure in MEASURES)
    return next((one for one in found if one is not None), None)


def _deviation(measure: Measure, canary: Group, champion: Group) -> Deviation | None:
    name = measure.name
    above = _deviations_from(measure.most_ratio, name, canary, champion)
    below = -_deviations_from(measure.least_ratio, name, canary, champion)
    beyond = max(above, below)
    if beyond < LEAST_DEVIATIONS:
        return None
    return Deviation(measure, canary.ratio(name), champion.ratio(name), beyond)


def _deviations_from(limit: float, name: str, canary: Group, champion: Group) -> float:
    """Distance of the canary's sum from a multiple of the champion's, in standard deviations."""
    scale = limit * canary.purchases / champion.purchases
    expected = scale * champion.total(name)
    # At the limit the canary would have `scale` times the champion's squares.
    at_limit = scale * champion.squares(name)
    variance = max(canary.variance(name), at_limit) + scale**2 * champion.variance(name)
    if not variance:
        return 0.0
    return (canary.total(name) - expected) / math.sqrt(variance)
