"""Verdict figures for the benchmarks' texts."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def figures() -> dict[str, Any]:
    """Figures of ten purchases on one day: two alerts, one of them declined."""
    return {
        "purchases": 10,
        "frauds": 2,
        "alerts": {
            "days": 1,
            "a_day": 2.0,
            "budget_a_day": 60.0,
            "of_novelty_a_day": 0.0,
            "precision": 0.5,
            "recall": 0.5,
        },
        "declines": {
            "count": 1,
            "precision": 1.0,
            "honest_declined": 0,
            "honest_purchases": 8,
            "honest_declined_ratio": 0.0,
            "honest_declined_below": 0.3,
        },
        "calibration": {
            "from_score": 0.1,
            "purchases": 2,
            "slope": 1.1,
            "bins": [
                {
                    "purchases": 2,
                    "predicted": 0.5,
                    "observed": 0.5,
                    "interval": [0.1, 0.9],
                    "is_inside": True,
                }
            ],
            "brier": 0.01,
            "brier_of_base_rate": 0.16,
        },
        "by_week": [],
        "rules": [{"rule": "high_amount", "floor": None, "hits": 3, "frauds": 2}],
    }
