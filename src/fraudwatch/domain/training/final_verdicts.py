"""Measure final verdicts against labels: calibration, alerts a day, declines by score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from fraudwatch.domain.arrays import Bools, Float64s
from fraudwatch.domain.evaluation.calibration import (
    base_rate_brier,
    brier_score,
    calibration_slope,
    wilson_interval,
)
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores, ratio

VERDICT_NUMBERS: Final = (
    "recall_at_fpr_0_001", "value_in_budget", "brier", "brier_of_base_rate", "calibration_slope",
    "alerts_a_day", "score_declines", "score_decline_precision", "honest_declined_ratio",
    "honest_declined_below",
)  # fmt: skip
"""Metrics of the gate that speak of the verdict rather than of a ranking alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalVerdicts:
    """Verdicts on labelled purchases as columns: those that were served, or would be."""

    score: Float64s
    """NaN where none was served."""
    is_score_decline: Bools
    """Declined by its score, or reviewed instead as one of the control group."""
    alerts: Mapping[int, int]
    """Alerts (any outcome but approve) by day, of all purchases: those without a label too."""

    def part(self, chosen: Bools) -> FinalVerdicts:
        """Select some of the verdicts; the alerts of the days stay."""
        return FinalVerdicts(
            score=self.score[chosen],
            is_score_decline=self.is_score_decline[chosen],
            alerts=self.alerts,
        )


def verdict_numbers(labelled: LabelledScores, verdicts: FinalVerdicts) -> dict[str, float]:
    """Compute the metrics of final verdicts; NaN where one cannot be computed.

    ``honest_declined_below`` is the upper end of the 95 % interval of the share of honest purchases
    that the score declined.
    """
    declined, honest = verdicts.is_score_decline, ~labelled.is_fraud
    frauds_declined = int((declined & labelled.is_fraud).sum())
    honest_declined = int((declined & honest).sum())
    days = np.unique(labelled.day).tolist()
    return {
        "brier": brier_score(verdicts.score, labelled.is_fraud),
        "brier_of_base_rate": base_rate_brier(labelled.is_fraud),
        "calibration_slope": calibration_slope(verdicts.score, labelled.is_fraud),
        "alerts_a_day": ratio(sum(verdicts.alerts.get(day, 0) for day in days), len(days)),
        "score_declines": int(declined.sum()),
        "score_decline_precision": ratio(frauds_declined, int(declined.sum())),
        "honest_declined_ratio": ratio(honest_declined, int(honest.sum())),
        "honest_declined_below": wilson_interval(honest_declined, int(honest.sum())).high,
    }
