"""Protocol of the Fraud Detection Handbook: training rows, test rows, measures.

Le Borgne, Siblini, Lebichot, Bontempi, *Reproducible Machine Learning for Credit Card Fraud
Detection*, ch. 3 (baseline), 4 (measures) and 5 (prequential validation). A model is trained on
some days, labels take a week, then a week is tested; four times in all, a week apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from statistics import fmean
from typing import Any, Final

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.evaluation.budget import (
    card_precision,
    perfect_card_precision,
    value_in_budget,
)
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores
from fraudwatch.domain.evaluation.ranking import auc, average_precision, recall_at_fpr

WEEK_DAYS: Final = 7
DELAY_DAYS: Final = 7
CARDS_A_DAY: Final = 100
FALSE_POSITIVE_RATIO: Final = 0.001
TEST_WEEKS: Final = ("2018-08-08", "2018-08-15", "2018-08-22", "2018-08-29")
# Tuning uses these weeks only, all before the first test week.
VALIDATION_WEEKS: Final = ("2018-07-04", "2018-07-11", "2018-07-18", "2018-07-25")
# A model that knows the rules of the simulator reaches .763 with labels a week old. More than that
# and a hundredth means that younger labels leaked.
LEAK_ABOVE: Final = 0.775

Scorer = Callable[[Int64s, Int64s], Float64s]
"""Train on the first rows and score the second."""


@dataclass(frozen=True, slots=True)
class Week:
    """One tested week, by the number of its first day since 1970."""

    first_day: int

    @classmethod
    def of(cls, day: str) -> Week:
        """Return the week that begins on an ISO day."""
        return cls((date.fromisoformat(day) - date(1970, 1, 1)).days)

    @property
    def begins(self) -> str:
        """First day as an ISO date."""
        return datetime.fromtimestamp(self.first_day * 86_400, UTC).date().isoformat()

    def training_rows(self, purchases: LabelledScores, days: int) -> Int64s:
        """Return the rows of so many days that end a label delay before the week."""
        until = self.first_day - DELAY_DAYS
        return np.flatnonzero((purchases.day >= until - days) & (purchases.day < until))

    def tested_rows(self, purchases: LabelledScores) -> Int64s:
        """Return the week's rows without cards already known as compromised.

        Those are the cards with a fraud in the week that ends a delay before the tested one, and
        on each day those whose fraud is older than the delay, whatever a model is trained on.
        """
        since = self.first_day - DELAY_DAYS - WEEK_DAYS
        rows = []
        for day in range(self.first_day, self.first_day + WEEK_DAYS):
            was_known = (purchases.day >= since) & (purchases.day < day - DELAY_DAYS)
            cards = np.unique(purchases.card[was_known & purchases.is_fraud])
            today = np.flatnonzero(purchases.day == day)
            rows.append(today[~np.isin(purchases.card[today], cards)])
        return np.concatenate(rows)


def select_rows(purchases: LabelledScores, rows: Int64s) -> LabelledScores:
    """Return the given rows of all columns."""
    return LabelledScores(
        transaction=purchases.transaction[rows],
        card=purchases.card[rows],
        event_at_ms=purchases.event_at_ms[rows],
        eur_cents=purchases.eur_cents[rows],
        is_fraud=purchases.is_fraud[rows],
    )


def week_figures(purchases: LabelledScores, week: Week, days: int, score: Scorer) -> dict[str, Any]:
    """Train for a week, score it, and compute its figures."""
    rows = week.tested_rows(purchases)
    tested = select_rows(purchases, rows)
    scores = score(week.training_rows(purchases, days), rows)
    return {
        "begins": week.begins,
        "purchases": len(rows),
        "frauds": int(tested.is_fraud.sum()),
        "auc": auc(scores, tested.is_fraud),
        "average_precision": average_precision(scores, tested.is_fraud),
        "card_precision_at_100": card_precision(tested, scores, CARDS_A_DAY).mean,
        "card_precision_at_100_perfect": perfect_card_precision(tested, CARDS_A_DAY).mean,
        "recall_at_fpr_0_001": recall_at_fpr(scores, tested.is_fraud, FALSE_POSITIVE_RATIO),
        "value_caught": value_in_budget(tested, scores, CARDS_A_DAY),
    }


def mean_of(weeks: list[dict[str, Any]]) -> dict[str, float]:
    """Return the mean over weeks of each figure that is a float."""
    return {
        name: fmean(week[name] for week in weeks)
        for name, value in weeks[0].items()
        if isinstance(value, float)
    }


def leaks(models: list[dict[str, Any]]) -> bool:
    """Whether a model is better than possible with labels that are a week old."""
    return any(model["average_precision"] > LEAK_ABOVE for model in models)
