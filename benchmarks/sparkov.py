"""Sparkov benchmark, last months: the final verdict beside the model, rules and forest alone.

All is computed as in the stream: features of the fold and of the hourly risk views, calibration,
rules, bounds and verdicts by the production code. The classifier is fitted for each week on the
month that ends a label delay before it; the forest once, on everything before the tested months.
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import xgboost

from benchmarks.forest_anomaly import anomaly_from
from benchmarks.handbook_protocol import CARDS_A_DAY, select_rows
from benchmarks.labelled_table import LabelledTable, UnfitData
from benchmarks.reach import verdict_targets
from benchmarks.served_verdict import CURVE_DAYS, Served, ServedTable
from benchmarks.sparkov_rankings import VERDICT, Rankings, model_targets, rank_targets
from benchmarks.verdict_figures import ServedDays
from benchmarks.week_models import DELAY_DAYS, TRAINING_DAYS, WEEK_DAYS, WeekModels, booster_fit
from fraudwatch.domain.evaluation.budget import perfect_card_precision
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.time_units import DAY_MS

TESTED_MONTHS: Final = 2
_SEED: Final = 7
# Parameters of spark_xgboost.
_SHAPE: Final = {"n_estimators": 150, "max_depth": 4, "learning_rate": 0.1, "max_bin": 1_024}
# More than two months are tested only from here on: training days and a week to calibrate by, and
# the labels of both.
_WITH_ALL_BEFORE: Final = TRAINING_DAYS + WEEK_DAYS + 2 * DELAY_DAYS
_EPOCH: Final = date(1970, 1, 1)

log = logging.getLogger("sparkov")


def measure(table: LabelledTable, policy: Policy, months: int = TESTED_MONTHS) -> dict[str, Any]:
    """Compute how much fraud each ranking finds in the last months, and what verdicts mean.

    Raises:
        UnfitData: there are not enough days before them.
    """
    day = table.purchases.day
    first, last = first_tested_day(int(day[0]), int(day[-1]), months), int(day[-1])
    if first <= day[0]:
        raise UnfitData(
            "all purchases are of the tested months, so there is none to train a model on; give a "
            "file that begins earlier"
        )
    source = _source(table, policy, first)
    served = source.serve(first, last + 1)
    return {
        "from": (_EPOCH + timedelta(days=first)).isoformat(),
        "until": (_EPOCH + timedelta(days=last)).isoformat(),
        **_report(source, served, has_model_target=months == TESTED_MONTHS),
    }


def first_tested_day(first: int, last: int, months: int = TESTED_MONTHS) -> int:
    """Return the first day of so many months, the last day's included; days since 1970.

    Of more than two months those are left out that begin with too few days before them.
    """
    month = datetime.fromtimestamp(last * 86_400, UTC).date().replace(day=1)
    for number in range(1, months):
        before = (month - timedelta(days=1)).replace(day=1)
        if number >= TESTED_MONTHS and (before - _EPOCH).days < first + _WITH_ALL_BEFORE:
            break
        month = before
    return (month - _EPOCH).days


def _source(table: LabelledTable, policy: Policy, first: int) -> ServedTable:
    log.info("features of %d purchases", len(table.is_fraud))
    vectors = table.feature_vectors(DELAY_DAYS * DAY_MS)
    return ServedTable(
        table=table,
        vectors=vectors,
        anomaly=anomaly_from(table, vectors, first, CURVE_DAYS),
        policy=policy,
        models=WeekModels(table, booster_fit(_classifier, vectors, table.is_fraud)),
    )


def _report(source: ServedTable, served: Served, *, has_model_target: bool) -> dict[str, Any]:
    tested = select_rows(source.table.purchases, served.rows)
    rankings = Rankings(source, served, tested).figures()
    figures = ServedDays.of(source, served).figures()
    targets = [*(model_targets(rankings) if has_model_target else []), *rank_targets(rankings)]
    return {
        "purchases": figures["purchases"],
        "frauds": figures["frauds"],
        "label_delay_days": DELAY_DAYS,
        "training_days": TRAINING_DAYS,
        "calibrated_by": list(source.calibrated_by.values()),
        "card_precision_at_100_perfect": perfect_card_precision(tested, CARDS_A_DAY).mean,
        "rankings": rankings,
        VERDICT: figures,
        "reach": [*targets, *verdict_targets(figures)],
    }


def _classifier() -> xgboost.XGBClassifier:
    return xgboost.XGBClassifier(**_SHAPE, tree_method="hist", random_state=_SEED)
