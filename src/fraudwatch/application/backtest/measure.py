"""The verb: all numbers of a backtest as one document, unknown ones None."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from fraudwatch.application.backtest.purchases import (
    JUDGED_BY,
    NOT_JUDGED,
    VECTOR_KINDS,
    Judgements,
    Purchases,
)
from fraudwatch.application.evaluation.measure import BUDGET_A_DAY, without_nan
from fraudwatch.domain.arrays import Bools, Int64s
from fraudwatch.domain.evaluation import budget
from fraudwatch.domain.evaluation.label_coverage import OUTCOMES, labelled_metrics, money
from fraudwatch.domain.evaluation.labelled_scores import ratio
from fraudwatch.domain.evaluation.overlap import overlap

_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
# What the reader of any of these numbers has to know.
NOTES: Final = (
    (
        "Every purchase is judged by the rule code that the stream runs, on the vector that the "
        "stream served, and by what the models said when they served: no model is asked again."
    ),
    (
        "Labels are those known when this was made. Analysts decide what the live policy alerted "
        "on: of alerts that only the candidate has hardly any is decided, so that its precision "
        "there is unknown rather than bad."
    ),
    (
        "Precision of labelled alerts is too good where the bank names frauds and nobody names the "
        "genuine ones; precision of decided alerts is what the reports call precision."
    ),
    (
        f"Card precision at {BUDGET_A_DAY}: of each day's {BUDGET_A_DAY} cards with the highest "
        "scores, the share with a known fraud that day; a purchase without a label is no fraud."
    ),
    (
        "Money is that of payments that went through. Caught is known fraud that was not approved, "
        "declined or in review; what a review finds is saved only if it is in time."
    ),
)


def measured(purchases: Purchases, first: date, last: date) -> dict[str, Any]:
    """Hold the candidate beside the live policy, over the days from first to last."""
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
    missed = ~candidate.is_judged
    return {
        "purchases": len(purchases.vector_kind),
        "judged": int(candidate.is_judged.sum()),
        "judged_by": {name: by_kind[name] for name in JUDGED_BY},
        "not_judged": {name: by_kind[name] for name in NOT_JUDGED},
        "not_judged_known_frauds": int((missed & known.is_fraud).sum()),
        "with_anomaly_score": int((candidate.is_judged & purchases.has_anomaly).sum()),
        "with_fraud_score": int((candidate.is_judged & purchases.has_fraud).sum()),
        "with_live_verdict": int(live.is_judged.sum()),
        "with_live_verdict_but_not_judged": int((live.is_judged & missed).sum()),
        "judged_without_live_verdict": int((candidate.is_judged & ~live.is_judged).sum()),
        "labelled": int(known.is_labelled.sum()),
        "known_frauds": int(known.is_fraud.sum()),
        "decided": int(known.is_decided.sum()),
    }


def _policy(purchases: Purchases, judged: Judgements) -> dict[str, Any]:
    """One policy's numbers, over the purchases that it judged."""
    chosen = judged.is_judged
    known, outcome = purchases.known.among(chosen), judged.outcome[chosen]
    days = len(np.unique(purchases.day[chosen]))
    counts = np.bincount(outcome, minlength=len(OUTCOMES)).tolist()
    outcomes = {str(name): count for name, count in zip(OUTCOMES, counts, strict=True)}
    found = asdict(labelled_metrics(known, judged.is_alert[chosen]))
    alerts = found.pop("hits")
    return {
        "judged": int(chosen.sum()),
        "days": days,
        "alerts": alerts,
        "alerts_per_day": ratio(alerts, days),
        "outcomes": outcomes,
        "outcomes_per_day": {name: ratio(count, days) for name, count in outcomes.items()},
        "alerts_without_a_rule": int((judged.is_alert & (judged.rules == 0)).sum()),
        **found,
        "money": asdict(money(known, outcome)),
        **_card_precision(purchases, judged),
    }


def _card_precision(purchases: Purchases, judged: Judgements) -> dict[str, float]:
    rows = purchases.ranked(judged.is_judged)
    names = "card_precision_at_100", "card_precision_at_100_perfect"
    if not rows.is_fraud.any():
        return dict.fromkeys(names, float("nan"))
    score = judged.score[judged.is_judged]
    found = budget.card_precision(rows, score, BUDGET_A_DAY).mean
    perfect = budget.perfect_card_precision(rows, BUDGET_A_DAY).mean
    return dict(zip(names, (found, perfect), strict=True))


def _rules(purchases: Purchases) -> dict[str, dict[str, Any]]:
    """Each rule by what it hit, alert or not: the candidate's hits beside the live ones."""
    return {
        name: {
            who: asdict(
                labelled_metrics(purchases.known, judged.is_hit_by(place) & judged.is_judged)
            )
            for who, judged in (("candidate", purchases.candidate), ("live", purchases.live))
        }
        for place, name in enumerate(purchases.rule_names)
    }


def _days(purchases: Purchases, first: date, last: date) -> list[dict[str, Any]]:
    """Every day of the range, one without purchases too."""
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
