"""Handbook benchmark: our model and the final verdict made of it, in the book's test weeks."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from benchmarks.forest_anomaly import anomaly_from
from benchmarks.handbook_models import OURS, SOURCE, BenchmarkModel
from benchmarks.handbook_protocol import TEST_WEEKS, Scorer, Week, mean_of, week_figures
from benchmarks.labelled_table import LabelledTable
from benchmarks.served_verdict import CURVE_DAYS, Served, ServedTable
from benchmarks.verdict_figures import ServedDays
from benchmarks.week_models import DELAY_DAYS, WEEK_DAYS, WeekModels, booster_fit
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.time_units import DAY_MS

_VERDICT: Final = replace(OURS, name="ours: verdict")

log = logging.getLogger("handbook")


def measure_verdict(
    table: LabelledTable,
    policy: Policy,
    weeks: Iterable[str] = TEST_WEEKS,
    model: BenchmarkModel = OURS,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Compute the figures of our model and of the verdict, and what verdicts mean.

    The rankings leave out known cards, as the protocol does. Alerts, declines and calibration are
    of all purchases: an analyst's day has them all.

    Args:
        table: The data.
        policy: Policy of the verdicts.
        weeks: First days of the tested weeks, one after the other.
        model: Our model.
    """
    tested = [Week.of(day) for day in weeks]
    first, until = tested[0].first_day, tested[-1].first_day + WEEK_DAYS
    source = _source(table, policy, model, first)
    served = source.serve(first, until)
    rankings = [
        model_figures(table.purchases, one, _scorer(source, served, column), tested)
        for one, column in ((model, served.probability), (_VERDICT, served.score))
    ]
    return rankings, ServedDays.of(source, served).figures()


def model_figures(
    purchases: LabelledScores, model: BenchmarkModel, score: Scorer, weeks: list[Week]
) -> dict[str, Any]:
    """Compute the figures of one way of ranking, week by week and as their mean."""
    by_week = []
    for week in weeks:
        by_week.append(week_figures(purchases, week, model.training_days, score))
        precision = by_week[-1]["average_precision"]
        log.info("%s, week of %s: average precision %.3f", model.name, week.begins, precision)
    return {
        "name": model.name,
        "features": model.features,
        "training_days": model.training_days,
        **mean_of(by_week),
        "by_week": by_week,
        "published": {**model.published, "source": SOURCE} if model.published else None,
    }


def _source(table: LabelledTable, policy: Policy, model: BenchmarkModel, first: int) -> ServedTable:
    log.info("features: %s", model.features)
    vectors = table.feature_vectors(DELAY_DAYS * DAY_MS)
    return ServedTable(
        table=table,
        vectors=vectors,
        anomaly=anomaly_from(table, vectors, first, CURVE_DAYS),
        policy=policy,
        models=WeekModels(table, booster_fit(model.make, vectors, table.is_fraud)),
    )


def _scorer(source: ServedTable, served: Served, column: Float64s) -> Scorer:
    """Return what looks up the score of tested rows; their models are trained already."""
    score = np.full(len(source.table.is_fraud), np.nan)
    score[served.rows] = column
    return lambda _, tested: score[tested]
