"""Purchases with hand-made results of two policies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from fraudwatch.application.backtest.measure import measure_backtest
from fraudwatch.application.backtest.purchases import PolicyResults, Purchases
from fraudwatch.domain.evaluation.label_coverage import UNSCORED, LabelMask

DAY_MS = 86_400_000
FIRST = date(2026, 11, 1)
FIRST_MS = 20_758 * DAY_MS  # FIRST
A, R, C, D, NONE = 0, 1, 2, 3, UNSCORED
F, G, U = "fraud", "genuine", "unknown"
Row = tuple[int, str, int, int, int]
SomePurchases = Callable[..., Purchases]


def _purchases(*rows: Row, decided: tuple[int, ...] = (), refused: tuple[int, ...] = ()) -> Any:
    """Build from (day, label, euro cents, live outcome, candidate's outcome); a card for each."""
    label = np.array([row[1] for row in rows])
    places = np.arange(len(rows))
    live = np.array([row[3] for row in rows], dtype=np.int8)
    candidate = np.array([row[4] for row in rows], dtype=np.int8)
    return Purchases(
        transaction=places.astype(np.uint64),
        card=places.astype(np.uint64),
        event_at_ms=np.array([FIRST_MS + row[0] * DAY_MS + 5 for row in rows], dtype=np.int64),
        known=LabelMask(
            is_fraud=label == F,
            is_genuine=label == G,
            is_decided=np.isin(places, decided),
            eur_cents=np.array([row[2] for row in rows], dtype=np.int64),
            is_paid=~np.isin(places, refused),
        ),
        vector_kind=np.where(candidate == NONE, 3, 0).astype(np.int8),
        has_anomaly=np.zeros(len(rows), dtype=np.bool_),
        has_fraud=np.zeros(len(rows), dtype=np.bool_),
        candidate=_results(candidate),
        live=_results(live),
        rule_names=("one", "two"),
    )


def _results(outcome: Any) -> PolicyResults:
    """Build results: rule one hits what is declined, rule two every alert."""
    rules = np.where(outcome == D, 3, np.where(outcome > A, 2, 0)).astype(np.int64)
    return PolicyResults(outcome=outcome, score=np.clip(outcome / 3, 0, 1), rules=rules)


@pytest.fixture(scope="session")
def purchases() -> SomePurchases:
    return _purchases


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """Build the backtest document of a few purchases."""
    rows = [(0, F, 1_000, A, R), (0, G, 2_000, D, D), (1, U, 4_000, R, A), (2, F, 8_000, R, R)]
    return {
        "policy": {"name": "stricter", "version": "2026-11-21+1f3a9c04"},
        "from": "2026-11-01",
        "until": "2026-11-03",
        "made_at": "2026-11-21T10:00:00+00:00",
        "labels_known_until": "2026-11-21T09:59:00+00:00",
        "code_version": "0.1.0+abc",
        "features_version": "0123456789abcdef",
        "seconds": 0.5,
        "purchases_per_second": 8.0,
        "bounds": {
            "cccccccccccc": {
                "review_from": 0.08,
                "challenge_from": None,
                "decline_from": 0.97,
                "novel_from_anomaly": None,
            }
        },
        "served_by": {"policies": {"2026-11-20+00000000": 4}, "models": {"anomaly 0123": 2}},
        **measure_backtest(_purchases(*rows, decided=(1, 3)), FIRST, date(2026, 11, 3)),
    }
