"""The verb: all numbers of a report as one document, unknown ones None."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from fraudwatch.application.evaluation.exclusions import exclusions
from fraudwatch.application.evaluation.join import Joined, joined
from fraudwatch.application.evaluation.ports import Truth, Verdicts
from fraudwatch.domain.arrays import Bools, Float64s
from fraudwatch.domain.evaluation import budget, ranking
from fraudwatch.domain.evaluation import detection_counts as alarms
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores, ratio
from fraudwatch.domain.rules.catalogue import RULES

BUDGET_A_DAY = 100
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def report(truth: Truth, verdicts: Verdicts) -> dict[str, Any]:
    """Hold the verdicts against the truth.

    Raises:
        NothingToReport: no labelled purchase, or none of them has a verdict.
    """
    both = joined(truth, verdicts)
    judged = both.judged
    perfect = budget.perfect_card_precision(judged, BUDGET_A_DAY).mean
    precision = budget.card_precision(judged, both.score, BUDGET_A_DAY)
    days = _days(both, precision)
    alerts = alarms.count_detections(judged, both.is_alert)
    rules = both.rules | {name: _none(judged) for name in RULES if name not in both.rules}
    document = {
        "source": truth.source,
        **_coverage(both),
        "exclusions": exclusions(truth, both, BUDGET_A_DAY),
        "alerts": alerts.hits,
        "alerts_per_day": ratio(alerts.hits, len(days)),
        "alert_precision": alerts.precision,
        "alert_recall": alerts.recall,
        "value_caught_ratio": alerts.value_ratio,
        **_ranking_numbers(judged, both.score, perfect),
        "time_to_first_alert": asdict(alarms.first_alerts(judged, both.is_alert)),
        "by_rule": {
            name: asdict(alarms.count_detections(judged, rules[name])) for name in sorted(rules)
        },
        "baselines": _baselines(judged, rules, perfect),
        "by_day": days,
    }
    known: dict[str, Any] = without_nan(document)
    return known


def _coverage(both: Joined) -> dict[str, Any]:
    judged_frauds = int(both.judged.is_fraud.sum())
    first, last = int(both.judged.event_at_ms.min()), int(both.judged.event_at_ms.max())
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
        # Dead letters are sealed and name no transaction, so nobody can count them by purchase.
        "put_aside": None,
        "verdicts_elsewhere": both.elsewhere,
        "outcomes": both.outcomes,
        "judged_by": both.judges,
    }


def _ranking_numbers(judged: LabelledScores, score: Float64s, perfect: float) -> dict[str, float]:
    """What only depends on the order in which a score puts purchases."""
    found = budget.card_precision(judged, score, BUDGET_A_DAY).mean
    return {
        "average_precision": ranking.average_precision(score, judged.is_fraud),
        "auc": ranking.auc(score, judged.is_fraud),
        "recall_at_fpr_0_01": ranking.recall_at_fpr(score, judged.is_fraud, 0.01),
        "recall_at_fpr_0_001": ranking.recall_at_fpr(score, judged.is_fraud, 0.001),
        "card_precision_at_100": found,
        "card_precision_at_100_perfect": perfect,
        "card_precision_at_100_ratio": ratio(found, perfect),
        "value_caught_at_100_ratio": budget.value_in_budget(judged, score, BUDGET_A_DAY),
    }


def _baselines(
    judged: LabelledScores, rules: Mapping[str, Bools], perfect: float
) -> dict[str, dict[str, float]]:
    """The same numbers for scores that need no platform: the amount alone, each rule alone."""
    known = np.nan_to_num(judged.eur_cents, nan=-1.0)
    alone = {"amount": known} | {
        f"rule {name}": rules[name].astype(np.float64) for name in sorted(rules)
    }
    return {name: _ranking_numbers(judged, score, perfect) for name, score in alone.items()}


def _days(both: Joined, precision: budget.CardPrecision) -> list[dict[str, Any]]:
    judged, day = both.judged, both.judged.day
    starts = precision.days
    place = np.searchsorted(starts, day)
    money = np.where(judged.is_fraud, np.nan_to_num(judged.eur_cents), 0.0)

    def summed(values: Float64s | Bools) -> list[float]:
        sums: list[float] = np.bincount(place, weights=values, minlength=len(starts)).tolist()
        return sums

    columns = {
        "verdicts": summed(np.ones(len(day))),
        "frauds": summed(judged.is_fraud),
        "alerts": summed(both.is_alert),
        "alerted_frauds": summed(both.is_alert & judged.is_fraud),
        "fraud_eur_cents": summed(money),
        "alerted_fraud_eur_cents": summed(np.where(both.is_alert, money, 0.0)),
    }
    return [
        {"day": date.fromordinal(_EPOCH_DAY + int(starts[i])).isoformat()}
        | {name: int(values[i]) for name, values in columns.items()}
        | {"card_precision_at_100": float(precision.by_day[i])}
        for i in range(len(starts))
    ]


def _none(judged: LabelledScores) -> Bools:
    return np.zeros(len(judged.is_fraud), dtype=np.bool_)


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat()


def without_nan(value: Any) -> Any:
    """JSON knows no NaN."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
