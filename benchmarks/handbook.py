"""Handbook benchmark: the book's models on its own features, ours, and the final verdict."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any, Final

from benchmarks.handbook_features import handbook_features
from benchmarks.handbook_models import PUBLISHED_MODELS, STREAM_FEATURES, BenchmarkModel, scores
from benchmarks.handbook_protocol import (
    CARDS_A_DAY,
    DELAY_DAYS,
    LEAK_ABOVE,
    TEST_WEEKS,
    Week,
    leaks,
)
from benchmarks.handbook_verdict import measure_verdict, model_figures
from benchmarks.labelled_table import LabelledTable
from benchmarks.reach import Target, at_least, verdict_targets
from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.time_units import DAY_MS

VERDICT: Final = "verdict"
_VERDICT_PRECISION, _VERDICT_CARD_PRECISION = 0.75, 0.305

log = logging.getLogger("handbook")


def measure(
    table: LabelledTable,
    models: Sequence[BenchmarkModel] = PUBLISHED_MODELS,
    weeks: Iterable[str] = TEST_WEEKS,
    *,
    label_delay_days: int = DELAY_DAYS,
) -> list[dict[str, Any]]:
    """Compute the figures of each model, week by week and as their mean.

    Args:
        table: The data.
        models: Models to measure.
        weeks: First days of the tested weeks.
        label_delay_days: Age from which our features use labels; below the protocol's they leak.
    """
    tested = [Week.of(day) for day in weeks]
    features: dict[str, Float64s] = {}
    figures = []
    for model in models:
        if model.features not in features:
            log.info("features: %s", model.features)
            features[model.features] = _features(table, model.features, label_delay_days)
        figures.append(_figures(table, model, features[model.features], tested))
    return figures


def _features(table: LabelledTable, kind: str, label_delay_days: int) -> Float64s:
    if kind == STREAM_FEATURES:
        return table.feature_vectors(label_delay_days * DAY_MS)
    events = table.events
    return handbook_features(
        events.event_at_ms,
        events.customer_key,
        events.merchant_key,
        events.amount_eur_cents,
        table.is_fraud,
    )


def _figures(
    table: LabelledTable, model: BenchmarkModel, features: Float64s, weeks: list[Week]
) -> dict[str, Any]:
    def score(trained: Int64s, tested: Int64s) -> Float64s:
        return scores(model, features, table.is_fraud, (trained, tested))

    return model_figures(table.purchases, model, score, weeks)


def report(table: LabelledTable, policy: Policy) -> dict[str, Any]:
    """Build the report: protocol, models, final verdicts, and whether one leaks labels."""
    ours, verdict = measure_verdict(table, policy)
    models = [*measure(table), *ours]
    return {
        "protocol": {
            "test_weeks": list(TEST_WEEKS),
            "label_delay_days": DELAY_DAYS,
            "cards_a_day": CARDS_A_DAY,
            "left_out": "cards whose fraud was known by then, but not of the verdict's figures",
            "leak_above": LEAK_ABOVE,
        },
        "models": models,
        VERDICT: verdict,
        "reach": [*_ranking_targets(models[-1]), *verdict_targets(verdict)],
        "leak": leaks(models),
    }


def _ranking_targets(verdict: dict[str, Any]) -> list[Target]:
    precision, cards = verdict["average_precision"], verdict["card_precision_at_100"]
    return [
        at_least("verdict, average precision", precision, _VERDICT_PRECISION),
        at_least("verdict, card precision at 100", cards, _VERDICT_CARD_PRECISION),
    ]
