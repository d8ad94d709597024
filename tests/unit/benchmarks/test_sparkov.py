"""Test the rankings of the Sparkov benchmark on a small generated data set, and its command."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.dataset_run import data_file
from benchmarks.labelled_table import LabelledTable
from benchmarks.sparkov import first_tested_day, measure
from benchmarks.sparkov_command import as_text
from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.domain.features.events import Events
from fraudwatch.domain.features.hashing import keys_of
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.stack.home import ROOT, StackError

FIRST_DAY = (date(2020, 3, 1) - date(1970, 1, 1)).days


def generated_table(days: int = 92, a_day: int = 60) -> LabelledTable:
    """Generate purchases from March to May: every fraud has a high amount, no other does."""
    random = np.random.default_rng(3)
    rows = days * a_day
    at_ms = (
        np.repeat(np.arange(FIRST_DAY, FIRST_DAY + days), a_day) * DAY_MS
        + np.sort(random.integers(0, DAY_MS, (days, a_day)), axis=1).ravel()
    )
    is_fraud = random.random(rows) < 0.05
    cents = np.where(is_fraud, random.integers(90_000, 150_000, rows), 4_000)
    no_key, unknown = np.zeros(rows, dtype=np.uint64), np.full(rows, np.nan)
    places = ("latitude", "longitude", "billing_latitude", "billing_longitude")
    shipping = ("shipping_latitude", "shipping_longitude", "item_count")
    events = Events(
        customer_key=keys_of([f"c{n}" for n in random.integers(0, 50, rows)]),
        transaction_key=keys_of([f"t{n}" for n in range(rows)]),
        event_at_ms=at_ms,
        produced_at_ms=at_ms,
        amount_eur_cents=cents,
        is_approved=np.ones(rows, dtype=np.bool_),
        is_present=np.ones(rows, dtype=np.bool_),
        **dict.fromkeys(places, unknown),
        **dict.fromkeys(shipping, unknown),
        **dict.fromkeys(("category_key", "device_key", "country_key"), no_key),
        merchant_key=keys_of([f"m{n}" for n in random.integers(0, 20, rows)]),
    )
    return LabelledTable(events, is_fraud)


def test_the_tested_months_are_the_last_two() -> None:
    day = first_tested_day(FIRST_DAY + 91)
    assert day == (date(2020, 4, 1) - date(1970, 1, 1)).days
    assert (
        first_tested_day((date(2021, 1, 5) - date(1970, 1, 1)).days)
        == (date(2020, 12, 1) - date(1970, 1, 1)).days
    )


def test_each_way_of_ranking_is_measured_on_the_tested_purchases_alone() -> None:
    table, policy = generated_table(), load_policy(ROOT / "contracts/policies/default.yaml")
    report = measure(table, policy)
    assert (report["from"], report["until"]) == ("2020-04-01", "2020-05-31")
    assert report["purchases"] == 61 * 60
    assert report["frauds"] == int(table.is_fraud[-report["purchases"] :].sum())
    precision = {one["name"]: one["average_precision"] for one in report["rankings"]}
    assert precision["model alone"] > 0.95
    assert precision["rules alone"] > report["frauds"] / report["purchases"]
    assert precision["verdict: rules, forest and model"] >= precision["verdict: rules and forest"]


def test_the_table_shows_the_best_ranking_first() -> None:
    ranking = {"auc": 0.9, "card_precision_at_100": 0.03, "recall_at_fpr_0_001": 0.1}
    report: dict[str, Any] = {
        "from": "2020-05-01",
        "until": "2020-06-30",
        "purchases": 10,
        "frauds": 1,
        "card_precision_at_100_perfect": 0.034,
        "rankings": [
            {"name": "rules alone", "average_precision": 0.4, **ranking},
            {"name": "model alone", "average_precision": 0.9, **ranking},
        ],
        "seconds": 1.0,
        "peak_rss_mib": 2,
        "machine": "here",
    }
    assert [line.split()[0] for line in list(as_text(report))[2:4]] == ["model", "rules"]


def test_without_a_file_the_error_names_the_download(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    with pytest.raises(StackError, match=r"source_data\.txt.*benchmark sparkov PATH"):
        data_file(root, None, "sparkov")
    beside = tmp_path / "shared/data/sparkov/transactions.parquet"
    beside.parent.mkdir(parents=True)
    beside.touch()
    assert data_file(root, None, "sparkov") == beside
