"""Test the rankings of the Sparkov benchmark on a small generated data set, and its command."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import sparkov_command
from benchmarks.dataset_run import DatasetRun, data_file
from benchmarks.labelled_table import LabelledTable, UnfitData
from benchmarks.reach import at_least
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
    day = first_tested_day(FIRST_DAY, FIRST_DAY + 91)
    assert day == (date(2020, 4, 1) - date(1970, 1, 1)).days
    assert (
        first_tested_day(FIRST_DAY, (date(2021, 1, 5) - date(1970, 1, 1)).days)
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
    assert precision["verdict"] > 0.95
    assert precision["verdict"] > precision["verdict without a model"]
    figures = report["verdict"]
    assert sum(week["purchases"] for week in figures["by_week"]) == report["purchases"]
    assert figures["alerts"]["budget_a_day"] == pytest.approx(0.1 * 60 + 2)
    assert figures["calibration"]["brier"] < figures["calibration"]["brier_of_base_rate"]
    # High amounts hit that rule, and no other purchase does.
    high = next(one for one in figures["rules"] if one["rule"] == "high_amount")
    assert 0 < high["hits"] == high["frauds"]
    assert report["calibrated_by"][0].startswith("cross-fitted")
    assert report["calibrated_by"][-1] == "prequential, 4 weeks"


def test_more_months_are_tested_only_with_enough_days_before_them() -> None:
    last = (date(2020, 6, 30) - date(1970, 1, 1)).days
    january = (date(2020, 1, 1) - date(1970, 1, 1)).days
    march, june = (date(2020, month, 1) - date(1970, 1, 1) for month in (3, 6))
    assert first_tested_day(january, last, months=1) == june.days
    assert first_tested_day(january, last, months=4) == march.days
    assert first_tested_day(january, last, months=12) == march.days


def test_a_file_of_the_tested_months_alone_is_refused() -> None:
    policy = load_policy(ROOT / "contracts/policies/default.yaml")
    with pytest.raises(UnfitData, match="begins earlier"):
        measure(generated_table(days=31), policy)


def test_the_table_shows_the_best_ranking_first(figures: dict[str, Any]) -> None:
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
        "verdict": figures,
        "reach": [at_least("verdict, average precision", 0.9, 0.95)],
        "seconds": 1.0,
        "peak_rss_mib": 2,
        "machine": "here",
    }
    lines = list(as_text(report))
    assert [line.split()[0] for line in lines[2:4]] == ["model", "rules"]
    assert lines[-2] == "MISSED  verdict, average precision: 0.9, to reach >= 0.950"


def test_without_a_file_the_error_names_the_download(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    with pytest.raises(StackError, match=r"source_data\.txt.*benchmark sparkov PATH"):
        data_file(root, None, "sparkov")
    beside = tmp_path / "shared/data/sparkov/transactions.parquet"
    beside.parent.mkdir(parents=True)
    beside.touch()
    assert data_file(root, None, "sparkov") == beside


def test_json_has_null_for_a_figure_that_the_data_do_not_give(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["sparkov", "any.parquet", "--json"])
    monkeypatch.setattr(DatasetRun, "_table", lambda *_: generated_table(days=1))
    unknown = {"declines": [{"precision": float("nan"), "count": 0}]}
    DatasetRun("sparkov", None, lambda *_: dict(unknown), as_text).run()
    assert json.loads(capsys.readouterr().out)["declines"] == [{"precision": None, "count": 0}]


def test_a_file_that_cannot_be_measured_ends_the_command_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.argv", ["sparkov", "any.parquet"])
    monkeypatch.setattr(DatasetRun, "_table", lambda *_: generated_table(days=31))
    with pytest.raises(SystemExit, match="fraudwatch: all purchases are of the tested months"):
        sparkov_command.main()
