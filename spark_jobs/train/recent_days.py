"""Score all purchases since the newest training days, labelled or not, beside what was served.

The gate judges final verdicts by them, and the alert curve that is shipped counts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fraudwatch.application.promotion.final_outcomes import PolicyInputs
from fraudwatch.domain.arrays import Bools, Float64s, Int64s, UInt64s
from fraudwatch.domain.calibration.fit_calibration import RecordedPurchases
from fraudwatch.domain.features.hashing import keys_of
from spark_jobs.recorded_verdicts import doubles, flags, objects, recorded_purchases
from spark_jobs.train.evaluating import CHALLENGER, FittedFold, by_id, of_days
from spark_jobs.train.spark_xgboost import BoosterScorer
from spark_jobs.train.vector_tasks import scored

if TYPE_CHECKING:
    from spark_jobs.train.dataset import Dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentDays:
    """Purchases of whole days as columns; what was served is NaN, None or false where unknown."""

    transaction: UInt64s
    event_at_ms: Int64s
    inputs: PolicyInputs
    recorded: RecordedPurchases
    log_odds: Float64s
    """Of the challenger, which was trained before these days."""
    served_score: Float64s
    model_version: npt.NDArray[np.object_]
    model_score: Float64s
    is_alert: Bools
    is_score_decline: Bools

    def rows_of(self, transaction: UInt64s) -> Int64s:
        """Return the row of each of these purchases, all of which are among the recent ones."""
        order = np.argsort(self.transaction)
        return order[np.searchsorted(self.transaction[order], transaction)]

    def alerts_by_day(self, is_alert: Bools) -> dict[int, int]:
        """Count alerts by day."""
        days, alerts = np.unique(self.recorded.day[is_alert], return_counts=True)
        return dict(zip(days.tolist(), alerts.tolist(), strict=True))


def recent_days(data: Dataset, fitted: FittedFold) -> RecentDays:
    """Score the days from the end of the training days on: test days, and those around them."""
    since = of_days(data.rows, fitted.fold.train_end, data.today)
    scorer = {CHALLENGER: BoosterScorer(fitted.booster)}
    answer, rows = by_id(scored(since, scorer, fitted.columns)), by_id(since)
    ids = objects(rows, "transaction_id")
    recorded = recorded_purchases(rows)
    return RecentDays(
        transaction=keys_of(ids.tolist()),
        event_at_ms=rows.column("event_at_ms").to_numpy(),
        inputs=PolicyInputs(
            transaction_id=ids,
            amount_eur_cents=rows.column("amount_eur_cents").fill_null(0).to_numpy(),
            rule_sets=recorded.rule_sets,
            anomaly=recorded.anomaly,
        ),
        recorded=recorded,
        log_odds=answer.column(CHALLENGER).to_numpy(),
        served_score=doubles(rows, "served_score"),
        model_version=objects(rows, "model_version"),
        model_score=doubles(rows, "model_score"),
        is_alert=flags(rows, "is_alert"),
        is_score_decline=flags(rows, "is_score_decline"),
    )
