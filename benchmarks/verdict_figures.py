"""Compute what final verdicts mean for analysts and customers: alerts, declines, calibration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from benchmarks.poisson_bound import highest_mean
from benchmarks.served_verdict import Served, ServedTable
from benchmarks.week_models import WEEK_DAYS
from fraudwatch.application.scoring.outcomes import APPROVE, DECLINE
from fraudwatch.domain.arrays import Bools, Int64s
from fraudwatch.domain.evaluation.calibration import (
    FROM_SCORE,
    base_rate_brier,
    brier_score,
    calibration_slope,
    reliability_bins,
)
from fraudwatch.domain.evaluation.labelled_scores import ratio
from fraudwatch.domain.policy.policy import AlertBudget, Policy

_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class ServedDays:
    """Verdicts on all purchases of some days, with their labels."""

    served: Served
    day: Int64s
    is_fraud: Bools
    hits: Bools  # [purchase, rule]
    policy: Policy

    @classmethod
    def of(cls, source: ServedTable, served: Served) -> ServedDays:
        """Join verdicts with the labels of their table."""
        day, is_fraud = source.table.purchases.day, source.table.is_fraud
        rows = served.rows
        return cls(served, day[rows], is_fraud[rows], source.hits[rows], source.policy)

    def figures(self) -> dict[str, Any]:
        """Compute all figures."""
        return {
            "purchases": len(self.day),
            "frauds": int(self.is_fraud.sum()),
            "alerts": self._alerts(),
            "declines": self._declines(),
            "calibration": self._calibration(),
            "by_week": self._by_week(),
            "rules": self._rules(),
        }

    @property
    def _is_alert(self) -> Bools:
        is_alert: Bools = self.served.outcome != APPROVE
        return is_alert

    @property
    def _is_decline(self) -> Bools:
        is_decline: Bools = self.served.outcome == DECLINE
        return is_decline

    def _alerts(self) -> dict[str, Any]:
        days, alerts = len(np.unique(self.day)), self._is_alert
        found = int((alerts & self.is_fraud).sum())
        return {
            "days": days,
            "a_day": ratio(int(alerts.sum()), days),
            "budget_a_day": budget_a_day(self.policy, ratio(len(self.day), days)),
            "of_novelty_a_day": ratio(int(self.served.is_novel.sum()), days),
            "precision": ratio(found, int(alerts.sum())),
            "recall": ratio(found, int(self.is_fraud.sum())),
        }

    def _declines(self) -> dict[str, Any]:
        declines, honest = int(self._is_decline.sum()), int((~self.is_fraud).sum())
        honest_declined = int((self._is_decline & ~self.is_fraud).sum())
        return {
            "count": declines,
            "precision": ratio(declines - honest_declined, declines),
            "honest_declined": honest_declined,
            "honest_purchases": honest,
            "honest_declined_ratio": ratio(honest_declined, honest),
            "honest_declined_below": ratio(highest_mean(honest_declined), honest),
        }

    def _calibration(self) -> dict[str, Any]:
        score, is_fraud = self.served.score, self.is_fraud
        bins = reliability_bins(score, is_fraud)
        return {
            "from_score": FROM_SCORE,
            "purchases": int((score >= FROM_SCORE).sum()),
            "slope": calibration_slope(score, is_fraud),
            "bins": [
                {**one._asdict(), "interval": list(one.interval), "is_inside": one.is_inside}
                for one in bins
            ],
            "brier": brier_score(score, is_fraud),
            "brier_of_base_rate": base_rate_brier(is_fraud),
        }

    def _by_week(self) -> list[dict[str, Any]]:
        first = int(self.day.min())
        place = (self.day - first) // WEEK_DAYS
        return [
            self._week(first + WEEK_DAYS * number, place == number)
            for number in np.unique(place).tolist()
        ]

    def _week(self, begins: int, chosen: Bools) -> dict[str, Any]:
        first_row = int(np.flatnonzero(chosen)[0])
        days = len(np.unique(self.day[chosen]))
        declined = self._is_decline & chosen
        return {
            "begins": (_EPOCH + timedelta(begins)).isoformat(),
            "purchases": int(chosen.sum()),
            "frauds": int((self.is_fraud & chosen).sum()),
            "alerts_a_day": ratio(int((self._is_alert & chosen).sum()), days),
            "declines": int(declined.sum()),
            "honest_declined": int((declined & ~self.is_fraud).sum()),
            "review_from_on_first_day": _finite(self.served.review_from[first_row]),
            "decline_from": _finite(self.served.decline_from[first_row]),
        }

    def _rules(self) -> list[dict[str, Any]]:
        return [
            {
                "rule": rule.name,
                "floor": self.policy.floors.get(rule.name),
                "hits": int(hit.sum()),
                "frauds": int((hit & self.is_fraud).sum()),
            }
            for rule, hit in zip(self.policy.rules, self.hits.T, strict=True)
        ]


def _finite(bound: float) -> float | None:
    """Return a bound; None where no score is enough."""
    return float(bound) if np.isfinite(bound) else None


def budget_a_day(policy: Policy, purchases_a_day: float) -> float | None:
    """Return the alerts a day that the policy allows; None if it has a fixed score instead."""
    if not isinstance(policy.review, AlertBudget):
        return None
    by_share = policy.review.share_at_most * purchases_a_day + policy.novelty_alerts_a_day
    return min(policy.review.alerts_a_day, by_share)
