"""Measure verdicts against labels: all numbers of a report as one document, unknown ones None."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from fraudwatch.application.evaluation.exclusions import exclusions
from fraudwatch.application.evaluation.join import Joined, join_verdicts
from fraudwatch.application.evaluation.ports import LabelledPurchases, Verdicts
from fraudwatch.domain.arrays import Bools, Float64s
from fraudwatch.domain.evaluation import budget, ranking
from fraudwatch.domain.evaluation import detection_counts as alarms
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores, ratio
from fraudwatch.domain.rules.catalogue import RULES

BUDGET_A_DAY = 100
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def report(labelled: LabelledPurchases, verdicts: Verdicts) -> dict[str, Any]:
    """Evaluate the verdicts against the labels.

    Raises:
        NothingToReport: no labelled purchase, or none of them has a verdict.
    """
    both = join_verdicts(labelled, verdicts)
    scored = both.scored
    perfect = budget.perfect_card_precision(scored, BUDGET_A_DAY).mean
    precision = budget.card_precision(scored, both.score, BUDGET_A_DAY)
    days = _days(both, precision)
    alerts = alarms.count_detections(scored, both.is_alert)
    rules = both.rules | {name: _none(scored) for name in RULES if name not in both.rules}
    document = {
        "source": labelled.source,
        **_coverage(both),
        "exclusions": exclusions(labelled, both, BUDGET_A_DAY),
        "alerts": alerts.hits,
        "alerts_per_day": ratio(alerts.hits, len(days)),
        "alert_precision": alerts.precision,
        "alert_recall": alerts.recall,
        "value_caught_ratio": alerts.value_ratio,
        **_ranking_numbers(scored, both.score, perfect),
        "time_to_first_alert": asdict(alarms.first_alerts(scored, both.is_alert)),
        "by_rule": {
            name: asdict(alarms.count_detections(scored, rules[name])) for name in sorted(rules)
        },
        "baselines": _baselines(scored, rules, perfect),
        "by_day": days,
    }
    known: dict[str, Any] = without_nan(document)
    return known


def _coverage(both: Joined) -> dict[str, Any]:
    judged_frauds = int(both.scored.is_fraud.sum())
    first, last = int(both.scored.event_at_ms.min()), int(both.scored.event_at_ms.max())
    return {
        "first_judged_at": _iso(first),
        "last_judged_at": _iso(last),
        "transactions": both.transactions,
        "frauds": both.frauds,
        "verdicts": len(both.score),
        "frauds_with_verdict": judged_frauds,
        "fraud_ratio": ratio(judged_frauds, len(both.score)),
        "missing": sum(both.missing.values()),
        "missing_frauds": both.missing_frauds,
        "missing_by_reason": both.missing,
        "duplicates": both.duplicates,
        # Dead letters are sealed and name no transaction, so they cannot be counted by purchase.
        "put_aside": None,
        "verdicts_elsewhere": both.elsewhere,
        "outcomes": both.outcomes,
        "judged_by": both.scorers,
    }


def _ranking_numbers(scored: LabelledScores, score: Float64s, perfect: float) -> dict[str, float]:
    """Return the metrics that depend only on the order of scores."""
    found = budget.card_precision(scored, score, BUDGET_A_DAY).mean
    return {
        "average_precision": ranking.average_precision(score, scored.is_fraud),
        "auc": ranking.auc(score, scored.is_fraud),
        "recall_at_fpr_0_01": ranking.recall_at_fpr(score, scored.is_fraud, 0.01),
        "recall_at_fpr_0_001": ranking.recall_at_fpr(score, scored.is_fraud, 0.001),
        "card_precision_at_100": found,
        "card_precision_at_100_perfect": perfect,
        "card_precision_at_100_ratio": ratio(found, perfect),
        "value_caught_at_100_ratio": budget.value_in_budget(scored, score, BUDGET_A_DAY),
    }


def _baselines(
    scored: LabelledScores, rules: Mapping[str, Bools], perfect: float
) -> dict[str, dict[str, float]]:
    """Return the same metrics for baselines: the amount alone, each rule alone."""
    known = np.nan_to_num(scored.eur_cents, nan=-1.0)
    alone = {"amount": known} | {
        f"rule {name}": rules[name].astype(np.float64) for name in sorted(rules)
    }
    return {name: _ranking_numbers(scored, score, perfect) for name, score in alone.items()}


def _days(both: Joined, precision: budget.CardPrecision) -> list[dict[str, Any]]:
    scored, day = both.scored, both.scored.day
    starts = precision.days
    place = np.searchsorted(starts, day)
    money = np.where(scored.is_fraud, np.nan_to_num(scored.eur_cents), 0.0)

    def summed(values: Float64s | Bools) -> list[float]:
        sums: list[float] = np.bincount(place, weights=values, minlength=len(starts)).tolist()
        return sums

    columns = {
        "verdicts": summed(np.ones(len(day))),
        "frauds": summed(scored.is_fraud),
        "alerts": summed(both.is_alert),
        "alerted_frauds": summed(both.is_alert & scored.is_fraud),
        "fraud_eur_cents": summed(money),
        "alerted_fraud_eur_cents": summed(np.where(both.is_alert, money, 0.0)),
    }
    return [
        {"day": date.fromordinal(_EPOCH_DAY + int(starts[i])).isoformat()}
        | {name: int(values[i]) for name, values in columns.items()}
        | {"card_precision_at_100": float(precision.by_day[i])}
        for i in range(len(starts))
    ]


def _none(scored: LabelledScores) -> Bools:
    return np.zeros(len(scored.is_fraud), dtype=np.bool_)


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat()


def without_nan(value: Any) -> Any:
    """Replace NaN by None, because JSON has no NaN."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
