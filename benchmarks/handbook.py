"""Handbook benchmark: the book's models on its own features, then ours on the stream's."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.handbook_features import handbook_features
from benchmarks.handbook_models import (
    BENCHMARK_MODELS,
    SOURCE,
    STREAM_FEATURES,
    BenchmarkModel,
    scores,
)
from benchmarks.handbook_protocol import (
    CARDS_A_DAY,
    DELAY_DAYS,
    LEAK_ABOVE,
    TEST_WEEKS,
    Week,
    leaks,
    mean_of,
    week_figures,
)
from benchmarks.labelled_table import LabelledTable
from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.time_units import DAY_MS

log = logging.getLogger("handbook")


def measure(
    table: LabelledTable,
    models: Sequence[BenchmarkModel] = BENCHMARK_MODELS,
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

    by_week = []
    for week in weeks:
        by_week.append(week_figures(table.purchases, week, model.training_days, score))
        precision = by_week[-1]["average_precision"]
        log.info("%s, week of %s: average precision %.3f", model.name, week.begins, precision)
    published = {**model.published, "source": SOURCE} if model.published else None
    return {
        "name": model.name,
        "features": model.features,
        "training_days": model.training_days,
        **mean_of(by_week),
        "by_week": by_week,
        "published": published,
    }


def report(table: LabelledTable) -> dict[str, Any]:
    """Build the report: protocol, models and whether one leaks labels."""
    models = measure(table)
    return {
        "protocol": {
            "test_weeks": list(TEST_WEEKS),
            "label_delay_days": DELAY_DAYS,
            "cards_a_day": CARDS_A_DAY,
            "left_out": "cards whose fraud was known by then",
            "leak_above": LEAK_ABOVE,
        },
        "models": models,
        "leak": leaks(models),
    }
