"""Measure a backtest: all its numbers as one document, unknown ones None."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from fraudwatch.application.backtest.purchases import (
    NOT_SCORED,
    SCORED_BY,
    VECTOR_KINDS,
    PolicyResults,
    Purchases,
)
from fraudwatch.application.evaluation.measure import BUDGET_A_DAY, without_nan
from fraudwatch.domain.arrays import Bools, Int64s
from fraudwatch.domain.evaluation import budget
from fraudwatch.domain.evaluation.label_coverage import OUTCOMES, labelled_metrics, money
from fraudwatch.domain.evaluation.labelled_scores import ratio
from fraudwatch.domain.evaluation.overlap import overlap

_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
# Notes that a reader of these numbers needs.
NOTES: Final = (
    (
        "Every purchase is scored by the rule code of the stream, on the feature vector that the "
        "stream served and with the model outputs of that time: no model is run again."
    ),
    (
        "The probability of fraud is the score of the live verdict where a model made it. The "
        "bounds of the candidate follow from its limits and the calibration that the verdict "
        "names; every other purchase is scored by points."
    ),
    (
        "Labels are those known when this was made. Analysts decide the alerts of the live policy: "
        "hardly any alert that only the candidate has is decided, so its precision there is "
        "unknown rather than bad."
    ),
    (
        "Precision of labelled alerts is too high where chargebacks label frauds and no source "
        "labels genuine purchases; precision of decided alerts is what the reports call precision."
    ),
    (
        f"Card precision at {BUDGET_A_DAY}: of each day's {BUDGET_A_DAY} cards with the highest "
        "scores, the share with a known fraud that day. A purchase without a label is no fraud; "
        "one that the live policy declined or the bank did not approve is left out: nobody can "
        "complain of it."
    ),
    (
        "Money counts approved payments only. Caught is known fraud that was declined, challenged "
        "or sent to review; money in review is saved only if the review is in time."
    ),
)


def measure_backtest(purchases: Purchases, first: date, last: date) -> dict[str, Any]:
    """Compare the candidate with the live policy, over the days from first to last."""
    document = {
        "coverage": _coverage(purchases),
        "candidate": _policy(purchases, purchases.candidate),
        "live": _policy(purchases, purchases.live),
        "overlap": asdict(
            overlap(purchases.known, purchases.candidate.outcome, purchases.live.outcome)
        ),
        "rules": _rules(purchases),
        "by_day": _days(purchases, first, last),
        "notes": list(NOTES),
    }
    known: dict[str, Any] = without_nan(document)
    return known


def _coverage(purchases: Purchases) -> dict[str, Any]:
    known, live, candidate = purchases.known, purchases.live, purchases.candidate
    counts = np.bincount(purchases.vector_kind, minlength=len(VECTOR_KINDS)).tolist()
    by_kind = dict(zip(VECTOR_KINDS, counts, strict=True))
    missed = ~candidate.is_scored
    return {
        "purchases": len(purchases.vector_kind),
        "judged": int(candidate.is_scored.sum()),
        "judged_by": {name: by_kind[name] for name in SCORED_BY},
        "not_judged": {name: by_kind[name] for name in NOT_SCORED},
        "not_judged_known_frauds": int((missed & known.is_fraud).sum()),
        "with_anomaly_score": int((candidate.is_scored & purchases.has_anomaly).sum()),
        "with_fraud_score": int((candidate.is_scored & purchases.has_fraud).sum()),
        "with_live_verdict": int(live.is_scored.sum()),
        "with_live_verdict_but_not_judged": int((live.is_scored & missed).sum()),
        "judged_without_live_verdict": int((candidate.is_scored & ~live.is_scored).sum()),
        "labelled": int(known.is_labelled.sum()),
        "known_frauds": int(known.is_fraud.sum()),
        "decided": int(known.is_decided.sum()),
    }


def _policy(purchases: Purchases, results: PolicyResults) -> dict[str, Any]:
    """Return one policy's numbers, over the purchases that it scored."""
    chosen = results.is_scored
    known, outcome = purchases.known.among(chosen), results.outcome[chosen]
    days = len(np.unique(purchases.day[chosen]))
    counts = np.bincount(outcome, minlength=len(OUTCOMES)).tolist()
    outcomes = {str(name): count for name, count in zip(OUTCOMES, counts, strict=True)}
    found = asdict(labelled_metrics(known, results.is_alert[chosen]))
    alerts = found.pop("hits")
    return {
        "judged": int(chosen.sum()),
        "days": days,
        "alerts": alerts,
        "alerts_per_day": ratio(alerts, days),
        "outcomes": outcomes,
        "outcomes_per_day": {name: ratio(count, days) for name, count in outcomes.items()},
        "alerts_without_a_rule": int((results.is_alert & (results.rules == 0)).sum()),
        **found,
        "money": asdict(money(known, outcome)),
        **_card_precision(purchases, results),
    }


def _card_precision(purchases: Purchases, results: PolicyResults) -> dict[str, float]:
    chosen = results.is_scored & purchases.has_truth
    rows = purchases.ranked(chosen)
    names = "card_precision_at_100", "card_precision_at_100_perfect"
    if not rows.is_fraud.any():
        return dict.fromkeys(names, float("nan"))
    score = results.score[chosen]
    found = budget.card_precision(rows, score, BUDGET_A_DAY).mean
    perfect = budget.perfect_card_precision(rows, BUDGET_A_DAY).mean
    return dict(zip(names, (found, perfect), strict=True))


def _rules(purchases: Purchases) -> dict[str, dict[str, Any]]:
    """Return the metrics of each rule's hits, alert or not: candidate and live policy."""
    return {
        name: {
            who: asdict(
                labelled_metrics(purchases.known, results.is_hit_by(place) & results.is_scored)
            )
            for who, results in (("candidate", purchases.candidate), ("live", purchases.live))
        }
        for place, name in enumerate(purchases.rule_names)
    }


def _days(purchases: Purchases, first: date, last: date) -> list[dict[str, Any]]:
    """Return counts for every day of the range, also for days without purchases."""
    count = (last - first).days + 1
    place = purchases.day - (first.toordinal() - _EPOCH_DAY)
    known, candidate, live = purchases.known, purchases.candidate, purchases.live
    columns = {
        "purchases": _counted(place, np.ones(len(place), dtype=np.bool_), count),
        "known_frauds": _counted(place, known.is_fraud, count),
        "labelled": _counted(place, known.is_labelled, count),
        "candidate_alerts": _counted(place, candidate.is_alert, count),
        "live_alerts": _counted(place, live.is_alert, count),
        "candidate_alerted_frauds": _counted(place, candidate.is_alert & known.is_fraud, count),
        "live_alerted_frauds": _counted(place, live.is_alert & known.is_fraud, count),
    }
    return [
        {"day": (first + timedelta(days=i)).isoformat()}
        | {name: values[i] for name, values in columns.items()}
        for i in range(count)
    ]


def _counted(place: Int64s, chosen: Bools, days: int) -> list[int]:
    counts: list[int] = np.bincount(place[chosen], minlength=days).tolist()
    return counts
