"""Chance that repeats: the same key draws the same numbers on every machine, after every restart.

Everything is derived from ``random.Random.random``, the only method whose sequence Python promises
to keep for a seed across versions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from statistics import NormalDist
from typing import TypeVar

T = TypeVar("T")

_NORMAL = NormalDist()
# Past this mean the normal approximation is off by less than anyone here could notice.
_LARGEST_COUNTED_MEAN = 50.0


class Chance:
    """A source of draws that belongs to one key; two keys share nothing."""

    __slots__ = ("share",)

    def __init__(self, *key: object) -> None:
        self.share = Random(":".join(map(str, key))).random

    def happens(self, probability: float) -> bool:
        """Whether something of this probability happens."""
        return self.share() < probability

    def between(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self.share()

    def whole(self, low: int, high: int) -> int:
        """A whole number in [low, high], both included."""
        return low + int((high - low + 1) * self.share())

    def among(self, options: Sequence[T]) -> T:
        """One of the options, each as likely as the other."""
        return options[int(len(options) * self.share())]

    def normal(self) -> float:
        """A draw of the standard normal distribution."""
        return _NORMAL.inv_cdf(max(self.share(), 1e-12))

    def log_normal(self, median: float, sigma: float) -> float:
        """A positive amount whose logarithm is normal, as amounts of money are."""
        return median * math.exp(sigma * self.normal())

    def count(self, mean: float) -> int:
        """How many of something that happens ``mean`` times on average (Poisson)."""
        if mean > _LARGEST_COUNTED_MEAN:
            return max(0, round(mean + math.sqrt(mean) * self.normal()))
        wanted, counted, probability = self.share(), 0, math.exp(-mean)
        reached = probability
        while reached < wanted and probability > 0:
            counted += 1
            probability *= mean / counted
            reached += probability
        return counted
