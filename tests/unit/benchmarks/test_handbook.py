"""Test the handbook benchmark's protocol on literal rows and on a small generated data set."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from benchmarks import handbook_command as command
from benchmarks.dataset_run import DatasetRun
from benchmarks.handbook import measure
from benchmarks.handbook_features import handbook_features
from benchmarks.handbook_models import STREAM_FEATURES, BenchmarkModel, boosted
from benchmarks.handbook_protocol import Week, leaks, select_rows
from benchmarks.handbook_verdict import measure_verdict
from benchmarks.labelled_table import LabelledTable
from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.domain.evaluation.budget import perfect_card_precision
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores
from fraudwatch.domain.features.events import Events
from fraudwatch.domain.features.hashing import keys_of
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.stack.home import ROOT

HANDBOOK = ROOT.parent / "shared" / "data" / "handbook" / "transactions.parquet"
WEEK = Week.of("2018-08-08")


def purchases(days: list[int], cards: list[int], is_fraud: list[bool]) -> LabelledScores:
    """Make one purchase per row, at noon, so many days after the week's first day."""
    return LabelledScores(
        transaction=np.arange(len(days), dtype=np.uint64),
        card=np.array(cards, dtype=np.uint64),
        event_at_ms=np.array([(WEEK.first_day + day) * DAY_MS + DAY_MS // 2 for day in days]),
        eur_cents=np.ones(len(days)),
        is_fraud=np.array(is_fraud),
    )


def test_known_cards_are_excluded_from_the_day_they_are_known() -> None:
    # Cards 1 to 4: fraud too long ago, in the training week, eight days before day 1, too recent.
    known = purchases([-15, -14, -7, -6], [1, 2, 3, 4], [True] * 4)
    tested = purchases([0, 0, 0, 0, 1, 1, 7, -1], [1, 2, 3, 4, 3, 4, 1, 1], [False] * 8)
    both = LabelledScores(
        **{
            name: np.concatenate([getattr(known, name), getattr(tested, name)])
            for name in LabelledScores.__slots__
        }
    )
    selected = select_rows(both, WEEK.tested_rows(both))
    day = selected.day - WEEK.first_day
    assert sorted(zip(day.tolist(), selected.card.tolist(), strict=True)) == [
        (0, 1), (0, 3), (0, 4), (1, 4),
    ]  # fmt: skip


def test_training_ends_a_delay_before_the_week() -> None:
    rows = purchases([-38, -37, -14, -8, -7, 0], [1] * 6, [False] * 6)
    assert WEEK.training_rows(rows, 30).tolist() == [1, 2, 3]
    assert WEEK.training_rows(rows, 7).tolist() == [2, 3]
    assert WEEK.begins == "2018-08-08"


@pytest.mark.skipif(not HANDBOOK.exists(), reason="no data set; see data/source_data.txt")
def test_the_published_counts_are_reproduced() -> None:
    table = pl.read_parquet(HANDBOOK)
    at_ms = table["TX_DATETIME"].cast(pl.Datetime("ms")).dt.epoch("ms")
    everything = LabelledScores(
        transaction=table["TRANSACTION_ID"].cast(pl.UInt64).to_numpy(),
        card=table["CUSTOMER_ID"].cast(pl.UInt64).to_numpy(),
        event_at_ms=at_ms.to_numpy(),
        eur_cents=np.ones(len(table)),
        is_fraud=(table["TX_FRAUD"] == 1).to_numpy(),
    )
    trained = everything.is_fraud[WEEK.training_rows(everything, 7)]
    tested = select_rows(everything, WEEK.tested_rows(everything))
    assert (len(trained), trained.sum()) == (67_240, 598)
    assert (len(tested.card), tested.is_fraud.sum()) == (58_264, 385)
    assert round(perfect_card_precision(tested, 100).mean, 3) == 0.397


def test_handbook_features_include_the_current_row_and_respect_the_delay() -> None:
    random = np.random.default_rng(5)
    rows = 300
    at_ms = np.sort(random.integers(0, 60 * 24, rows)) * (DAY_MS // 24) + 17_700 * DAY_MS
    card, terminal = (random.integers(1, top, rows).astype(np.uint64) for top in (4, 5))
    cents, is_fraud = random.integers(1, 9_999, rows), random.random(rows) < 0.2
    features = handbook_features(at_ms, card, terminal, cents, is_fraud)
    for row in range(rows):
        expected = [cents[row] / 100, *_calendar_features(int(at_ms[row]))]
        age_ms = at_ms[row] - at_ms
        for days in (1, 7, 30):
            own = (card == card[row]) & (age_ms < days * DAY_MS) & (np.arange(rows) <= row)
            expected += [own.sum(), cents[own].mean() / 100]
        for days in (1, 7, 30):
            delayed = age_ms - 7 * DAY_MS
            here = (terminal == terminal[row]) & (delayed >= 0) & (delayed < days * DAY_MS)
            expected += [here.sum(), is_fraud[here].mean() if here.any() else 0]
        np.testing.assert_allclose(features[row], expected, rtol=1e-12)


def _calendar_features(at_ms: int) -> list[float]:
    at = np.datetime64(at_ms, "ms").item()
    return [float(at.weekday() >= 5), float(at.hour <= 6)]


def generated_table(days: int = 85, a_day: int = 150) -> LabelledTable:
    """Generate purchases: each merchant has two spans of fraud only; amounts carry no signal."""
    random = np.random.default_rng(3)
    rows = days * a_day
    day = np.repeat(np.arange(days), a_day)
    at_ms = (day + WEEK.first_day - 55) * DAY_MS + np.sort(
        random.integers(0, DAY_MS, (days, a_day)), axis=1
    ).ravel()
    merchant = random.integers(0, 60, rows)
    begins = random.integers(0, days, (60, 2))
    is_fraud = ((day[:, None] >= begins[merchant]) & (day[:, None] < begins[merchant] + 12)).any(1)
    unknown = np.full(rows, np.nan)
    no_key = np.zeros(rows, dtype=np.uint64)
    events = Events(
        customer_key=keys_of([f"c{n}" for n in random.integers(0, 4_000, rows)]),
        transaction_key=keys_of([f"t{n}" for n in range(rows)]),
        event_at_ms=at_ms,
        produced_at_ms=at_ms,
        amount_eur_cents=random.integers(500, 5_000, rows),
        is_approved=np.ones(rows, dtype=np.bool_),
        is_present=np.ones(rows, dtype=np.bool_),
        **dict.fromkeys(
            ("latitude", "longitude", "billing_latitude", "billing_longitude"), unknown
        ),
        **dict.fromkeys(("shipping_latitude", "shipping_longitude", "item_count"), unknown),
        **dict.fromkeys(("category_key", "device_key", "country_key"), no_key),
        merchant_key=keys_of([f"m{n}" for n in merchant]),
    )
    return LabelledTable(events, is_fraud)


def test_labels_without_their_delay_are_detected_as_a_leak() -> None:
    ours = BenchmarkModel("ours", STREAM_FEATURES, 30, boosted(20, 0.3, 3))
    table = generated_table()
    honest = measure(table, [ours], [WEEK.begins, "2018-08-15"])
    early = measure(table, [ours], [WEEK.begins, "2018-08-15"], label_delay_days=0)
    assert not leaks(honest)
    assert leaks(early)
    [figures] = honest
    assert [week["begins"] for week in figures["by_week"]] == ["2018-08-08", "2018-08-15"]
    precisions = [week["average_precision"] for week in figures["by_week"]]
    assert figures["average_precision"] == pytest.approx(np.mean(precisions))
    assert figures["card_precision_at_100"] <= figures["card_precision_at_100_perfect"]


def test_the_verdict_is_measured_in_the_tested_weeks_on_all_their_purchases() -> None:
    table, policy = generated_table(), load_policy(ROOT / "contracts/policies/default.yaml")
    ours = BenchmarkModel("ours", STREAM_FEATURES, 30, boosted(20, 0.3, 3))
    weeks = [WEEK.begins, "2018-08-15"]
    (model, verdict), figures = measure_verdict(table, policy, weeks, ours)
    assert [model] == measure(table, [ours], weeks)
    assert verdict["average_precision"] == pytest.approx(model["average_precision"], abs=0.05)
    assert figures["purchases"] == 14 * 150
    assert sum(week["purchases"] for week in verdict["by_week"]) < figures["purchases"]
    assert [week["begins"] for week in figures["by_week"]] == weeks


def a_report(*, leak: bool) -> dict[str, Any]:
    figures = dict.fromkeys(("auc", "average_precision", "card_precision_at_100"), 0.5)
    perfect = {"card_precision_at_100_perfect": 0.5, "by_week": []}
    return {
        "protocol": {"leak_above": 0.775},
        "models": [
            {"name": "theirs", **figures, **perfect, "published": {"average_precision": 0.694}},
            {"name": "ours", **figures, **perfect, "published": None},
        ],
        "leak": leak,
        "seconds": 1.0,
        "peak_rss_mib": 2,
    }


@pytest.mark.parametrize("leak", [False, True])
def test_the_command_fails_on_a_leak(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, leak: bool
) -> None:
    monkeypatch.setattr(DatasetRun, "run", lambda _: a_report(leak=leak))
    assert command.main() == int(leak)
    assert ("leak: an average precision above 0.775" in capsys.readouterr().err) is leak


def test_the_table_shows_measured_beside_published_figures(figures: dict[str, Any]) -> None:
    report = {**a_report(leak=False), "machine": "here", "verdict": figures, "reach": []}
    heads, theirs, ours, *verdict, _ = command.as_text(report)
    assert heads.split()[5:] == ["AUC", "book", "AP", "book", "CP@100", "book", "perfect"]
    assert theirs.split() == ["theirs", "0.500", "0.500", "0.694", "0.500", "0.500"]
    assert ours.split() == ["ours", "0.500", "0.500", "0.500", "0.500"]
    assert verdict[1].startswith("alerts a day: 2.0 on 1 days, budget 60")
