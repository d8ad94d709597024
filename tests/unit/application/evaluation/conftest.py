"""Labels and verdicts by hand, and a labelled file of six purchases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from fraudwatch.application.evaluation.columns import VerdictColumns
from fraudwatch.application.evaluation.ports import Verdicts
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores
from fraudwatch.domain.time_units import DAY_MS

NEW_YEAR_MS = 1_577_836_800_000

ROWS: list[dict[str, Any]] = [
    {"no": "a1", "when": "2020-01-01 09:00:00", "who": "ann", "amt": 10.0, "fraud": "0"},
    {"no": "a2", "when": "2020-01-01 10:00:00", "who": "bob", "amt": 500.0, "fraud": "1"},
    {"no": "a3", "when": "2020-01-02 10:00:00", "who": "bob", "amt": 300.0, "fraud": "1"},
    {"no": "a4", "when": "2020-01-02 11:00:00", "who": "ann", "amt": 20.0, "fraud": "0"},
    {"no": "a5", "when": "2020-01-03 11:00:00", "who": "cy", "amt": 200.0, "fraud": "1"},
    {"no": "a6", "when": "2020-01-03 12:00:00", "who": "dee", "amt": 5.0, "fraud": "0"},
]

MAPPING: dict[str, Any] = {
    "about": "six rows",
    "never_read": ["fraud"],
    "label": {"column": "fraud", "fraud": ["1"], "genuine": ["0"]},
    "time": {"text": "%Y-%m-%d %H:%M:%S"},
    "amount": "major",
    "fields": {
        "source": "test",
        "id": "t-{no}",
        "event_at_ms": "{when}",
        "customer_id": "{who}",
        "amount_minor": "{amt}",
        "currency": "EUR",
        "payment_status": "approved",
        "channel": "present",
        "merchant_id": "m",
    },
}

A_VERDICT = {"outcome": "approve", "score": 0.0, "rules": ()}


@dataclass(frozen=True)
class Files:
    labels: Path
    mapping: Path


WriteFiles = Callable[..., Files]


@pytest.fixture
def write_files(tmp_path: Path) -> WriteFiles:
    def write(rows: list[dict[str, Any]], mapping: dict[str, Any] = MAPPING) -> Files:
        files = Files(tmp_path / "labels.parquet", tmp_path / "mapping.yaml")
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(files.labels)
        files.mapping.write_text(yaml.safe_dump(mapping, sort_keys=False), encoding="utf-8")
        return files

    return write


def verdicts_on(given: dict[str, dict[str, Any]]) -> Verdicts:
    """Stored verdicts by transaction id; by default approved with score 0."""
    columns = VerdictColumns()
    for transaction_id, changes in given.items():
        one = A_VERDICT | changes
        ids = (transaction_id, f"verdict of {transaction_id}")
        columns.add(ids, (one["outcome"], one["score"]), one["rules"], "rules_only, policy p1")
    return columns.finished()


@dataclass(frozen=True)
class InMemory:
    """A verdict source without an engine."""

    verdicts: Verdicts

    def of(self, source: str) -> Verdicts:
        assert source == "test"
        return self.verdicts


def judged_of(
    days: Sequence[float],
    cards: Sequence[int],
    frauds: Sequence[int],
    cents: Sequence[float] | None = None,
) -> LabelledScores:
    """Purchases, one a position; a purchase's own key is its position."""
    return LabelledScores(
        transaction=np.arange(len(days), dtype=np.uint64),
        card=np.array(cards, dtype=np.uint64),
        event_at_ms=np.array([int(day * DAY_MS) for day in days], dtype=np.int64),
        eur_cents=np.array([100.0] * len(days) if cents is None else cents, dtype=np.float64),
        is_fraud=np.array(frauds, dtype=np.bool_),
    )
