"""The public benchmark: the book's models on its own features, then ours on what is served."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.handbook_features import book_features
from benchmarks.handbook_models import RIVALS, SOURCE, VECTOR_FEATURES, Rival, scores
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
from benchmarks.labelled_table import Table
from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.time_units import DAY_MS

log = logging.getLogger("handbook")


def measure(
    table: Table,
    rivals: Sequence[Rival] = RIVALS,
    weeks: Iterable[str] = TEST_WEEKS,
    *,
    label_delay_days: int = DELAY_DAYS,
) -> list[dict[str, Any]]:
    """The figures of each rival, week by week and as their mean.

    Args:
        table: The data.
        rivals: What is measured.
        weeks: First days of the tested weeks.
        label_delay_days: From which age on our features know labels; the protocol's, or it leaks.
    """
    tested = [Week.of(day) for day in weeks]
    features: dict[str, Float64s] = {}
    found = []
    for rival in rivals:
        if rival.features not in features:
            log.info("features: %s", rival.features)
            features[rival.features] = _features(table, rival.features, label_delay_days)
        found.append(_figures(table, rival, features[rival.features], tested))
    return found


def _features(table: Table, kind: str, label_delay_days: int) -> Float64s:
    if kind == VECTOR_FEATURES:
        return table.served(label_delay_days * DAY_MS)
    events = table.events
    return book_features(
        events.event_at_ms,
        events.customer_key,
        events.merchant_key,
        events.amount_eur_cents,
        table.is_fraud,
    )


def _figures(table: Table, rival: Rival, features: Float64s, weeks: list[Week]) -> dict[str, Any]:
    def score(trained: Int64s, tested: Int64s) -> Float64s:
        return scores(rival, features, table.is_fraud, (trained, tested))

    by_week = []
    for week in weeks:
        by_week.append(week_figures(table.judged, week, rival.training_days, score))
        precision = by_week[-1]["average_precision"]
        log.info("%s, week of %s: average precision %.3f", rival.name, week.begins, precision)
    published = {**rival.published, "source": SOURCE} if rival.published else None
    return {
        "name": rival.name,
        "features": rival.features,
        "training_days": rival.training_days,
        **mean_of(by_week),
        "by_week": by_week,
        "published": published,
    }


def report(table: Table) -> dict[str, Any]:
    """The whole document."""
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
