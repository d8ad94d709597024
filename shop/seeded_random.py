"""Seeded random numbers: the same key gives the same draws on every machine, after every restart.

All draws are derived from ``random.Random.random``, the only method whose sequence Python
guarantees for a seed across versions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from statistics import NormalDist
from typing import TypeVar

T = TypeVar("T")

_NORMAL = NormalDist()
# Above this mean the error of the normal approximation does not matter here.
_LARGEST_COUNTED_MEAN = 50.0


class SeededRandom:
    """A random generator of one key; generators of different keys are independent."""

    __slots__ = ("random",)

    def __init__(self, *key: object) -> None:
        self.random = Random(":".join(map(str, key))).random

    def happens(self, probability: float) -> bool:
        """Draw whether an event of this probability happens."""
        return self.random() < probability

    def uniform(self, low: float, high: float) -> float:
        """Draw a number in [low, high)."""
        return low + (high - low) * self.random()

    def integer(self, low: int, high: int) -> int:
        """Draw an integer in [low, high], both included."""
        return low + int((high - low + 1) * self.random())

    def choice(self, options: Sequence[T]) -> T:
        """Draw one of the options, all equally likely."""
        return options[int(len(options) * self.random())]

    def normal(self) -> float:
        """Draw from the standard normal distribution."""
        return _NORMAL.inv_cdf(max(self.random(), 1e-12))

    def log_normal(self, median: float, sigma: float) -> float:
        """Draw from a log-normal distribution, as amounts of money have."""
        return median * math.exp(sigma * self.normal())

    def poisson(self, mean: float) -> int:
        """Draw a count of events that happen ``mean`` times on average (Poisson)."""
        if mean > _LARGEST_COUNTED_MEAN:
            return max(0, round(mean + math.sqrt(mean) * self.normal()))
        target, drawn, probability = self.random(), 0, math.exp(-mean)
        reached = probability
        while reached < target and probability > 0:
            drawn += 1
            probability *= mean / drawn
            reached += probability
        return drawn
