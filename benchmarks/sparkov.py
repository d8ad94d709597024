"""Sparkov benchmark, last two months: a classifier compared with the rules and the forest alone.

Scores are computed as in the stream: features of the fold and of the hourly risk views, rules and
policy by the production code. The classifier is fitted for each week on the month that ends a label
delay before it; the forest once, on everything before the two months; the rules are the policy's.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import numpy as np
import xgboost

from benchmarks.handbook_protocol import CARDS_A_DAY, FALSE_POSITIVE_RATIO, select_rows
from benchmarks.labelled_table import LabelledTable
from fraudwatch.adapters.artefacts.forest_artefact import forest_model
from fraudwatch.adapters.artefacts.sklearn_forest import ForestShape, all_features, fit_forest
from fraudwatch.application.scoring.assess import assess
from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.evaluation.budget import card_precision, perfect_card_precision
from fraudwatch.domain.evaluation.ranking import auc, average_precision, recall_at_fpr
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.models.fitted import ModelKind, ModelMetadata
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.rules.rule import RuleInput
from fraudwatch.domain.time_units import DAY_MS

DELAY_DAYS: Final = 7
TRAINING_DAYS: Final = 30
WEEK_DAYS: Final = 7
_SEED: Final = 7
# Parameters of spark_xgboost.
_SHAPE: Final = {"n_estimators": 150, "max_depth": 4, "learning_rate": 0.1, "max_bin": 1_024}
# Purchases at a time: every assessment builds the sentences of its reasons in memory.
_ASSESSED_AT_ONCE: Final = 20_000
_EPOCH: Final = date(1970, 1, 1)

log = logging.getLogger("sparkov")


def measure(table: LabelledTable, policy: Policy) -> dict[str, Any]:
    """Compute how much fraud each ranking finds in the last two months."""
    day = table.purchases.day
    first = first_tested_day(int(day.max()))
    tested = np.flatnonzero(day >= first)
    log.info("features of %d purchases", len(day))
    vectors = table.feature_vectors(DELAY_DAYS * DAY_MS)
    anomaly = _anomaly(vectors, table.events.event_at_ms, np.flatnonzero(day < first), tested)
    probability = _probability(vectors, table.is_fraud, day, first)[tested]
    rule_input = RuleInput(
        amount_eur_cents=table.events.amount_eur_cents[tested], features=vectors[tested]
    )
    part = select_rows(table.purchases, tested)
    rankings: Mapping[str, Float64s] = {
        "the amount alone": part.eur_cents,
        "rules alone": _scores(rule_input, policy, Evidence()),
        "isolation forest alone": anomaly,
        "verdict: rules and forest": _scores(rule_input, policy, Evidence(anomaly=anomaly)),
        "model alone": probability,
        "verdict: rules, forest and model": _scores(
            rule_input, policy, Evidence(anomaly, probability)
        ),
    }
    return {
        "from": (_EPOCH + timedelta(days=first)).isoformat(),
        "until": (_EPOCH + timedelta(days=int(day.max()))).isoformat(),
        "purchases": len(tested),
        "frauds": int(part.is_fraud.sum()),
        "label_delay_days": DELAY_DAYS,
        "training_days": TRAINING_DAYS,
        "card_precision_at_100_perfect": perfect_card_precision(part, CARDS_A_DAY).mean,
        "rankings": [
            {
                "name": name,
                "auc": auc(score, part.is_fraud),
                "average_precision": average_precision(score, part.is_fraud),
                "card_precision_at_100": card_precision(part, score, CARDS_A_DAY).mean,
                "recall_at_fpr_0_001": recall_at_fpr(score, part.is_fraud, FALSE_POSITIVE_RATIO),
            }
            for name, score in rankings.items()
        ],
    }


def first_tested_day(last: int) -> int:
    """Return the first day of the month before the last day's month; days since 1970."""
    month = datetime.fromtimestamp(last * 86_400, UTC).date().replace(day=1)
    return ((month - timedelta(days=1)).replace(day=1) - _EPOCH).days


def _anomaly(vectors: Float64s, event_at_ms: Int64s, trained: Int64s, tested: Int64s) -> Float64s:
    log.info("isolation forest on %d purchases", len(trained))
    about = ModelMetadata(
        kind=ModelKind.ISOLATION_FOREST,
        features=all_features(),
        features_version=features_version(),
        fitted_at_ms=int(event_at_ms[tested[0]]),
        rows=len(trained),
        from_ms=int(event_at_ms[trained[0]]),
        until_ms=int(event_at_ms[trained[-1]]),
    )
    artefact = fit_forest(vectors[trained], about, ForestShape(seed=_SEED))
    return forest_model(artefact, sha256="").anomaly(vectors[tested])


def _probability(vectors: Float64s, is_fraud: Any, day: Int64s, first: int) -> Float64s:
    """Predict each purchase from the first tested day on with its week's model; NaN before."""
    probability = np.full(len(day), np.nan)
    for begins in range(first, int(day.max()) + 1, WEEK_DAYS):
        until = begins - DELAY_DAYS
        trained = np.flatnonzero((day >= until - TRAINING_DAYS) & (day < until))
        week = np.flatnonzero((day >= begins) & (day < begins + WEEK_DAYS))
        is_known = ~np.isnan(vectors[trained]).all(axis=0)
        model = xgboost.XGBClassifier(**_SHAPE, tree_method="hist", random_state=_SEED)
        model.fit(vectors[trained][:, is_known], is_fraud[trained])
        probability[week] = model.predict_proba(vectors[week][:, is_known])[:, 1]
        log.info(
            "week of %s: trained on %d frauds", _EPOCH + timedelta(begins), is_fraud[trained].sum()
        )
    return probability


def _scores(rule_input: RuleInput, policy: Policy, evidence: Evidence) -> Float64s:
    """Compute the verdicts' scores with the production code."""
    parts = []
    for begin in range(0, len(rule_input.amount_eur_cents), _ASSESSED_AT_ONCE):
        rows = slice(begin, begin + _ASSESSED_AT_ONCE)
        piece = RuleInput(
            amount_eur_cents=rule_input.amount_eur_cents[rows], features=rule_input.features[rows]
        )
        outputs = (None if one is None else one[rows] for one in evidence)
        parts.append(assess(piece, policy, Evidence(*outputs)).score)
    return np.concatenate(parts)
