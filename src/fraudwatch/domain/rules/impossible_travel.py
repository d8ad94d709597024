"""Impossible travel: the card is present in two places too far apart for the time between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fraudwatch.domain.rules.rule import Answers, RuleInput, answers

_MINUTE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ImpossibleTravel:
    """Hits when the speed from the last card-present purchase is above that of an airliner.

    Short distances are a miss: positions are coarse and clocks differ. Without two known positions
    it answers unknown.
    """

    name: ClassVar[str] = "impossible_travel"
    points: int
    faster_than_kmh: float
    farther_than_km: float

    def answer(self, inputs: RuleInput) -> Answers:
        kmh, km = inputs.feature("from_located_kmh"), inputs.feature("from_located_km")
        is_hit = (kmh > self.faster_than_kmh) & (km > self.farther_than_km)
        return answers(is_hit, ~np.isnan(kmh))

    def sentence(self, inputs: RuleInput, i: int) -> str:
        km, kmh = inputs.value("from_located_km", i), inputs.value("from_located_kmh", i)
        minutes = inputs.value("since_located_seconds", i) / _MINUTE_SECONDS
        return (
            f"{km:,.0f} km from the last card-present purchase, {minutes:,.0f} minutes earlier: "
            f"{kmh:,.0f} km/h; limit {self.faster_than_kmh:,.0f} km/h."
        )
