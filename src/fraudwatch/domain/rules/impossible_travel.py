"""Impossible travel: the card is present in two places that nobody reaches in that time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fraudwatch.domain.rules.rule import Answers, Seen, answers

_MINUTE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ImpossibleTravel:
    """Hits when the way from the last card-present purchase was faster than any airliner.

    Short hops are left alone: positions are coarse and clocks differ. Without two known positions
    it answers unknown.
    """

    name: ClassVar[str] = "impossible_travel"
    points: int
    faster_than_kmh: float
    farther_than_km: float

    def answer(self, seen: Seen) -> Answers:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        kmh, km = seen.feature("from_located_kmh"), seen.feature("from_located_km")
        is_hit = (kmh > self.faster_than_kmh) & (km > self.farther_than_km)
        return answers(is_hit, ~np.isnan(kmh))

    def sentence(self, seen: Seen, i: int) -> str:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        km, kmh = seen.value("from_located_km", i), seen.value("from_located_kmh", i)
        minutes = seen.value("since_located_seconds", i) / _MINUTE_SECONDS
        return (
            f"{km:,.0f} km from the last purchase with the card present, {minutes:,.0f} minutes "
            f"earlier: {kmh:,.0f} km/h, and {self.faster_than_kmh:,.0f} is the limit."
        )
