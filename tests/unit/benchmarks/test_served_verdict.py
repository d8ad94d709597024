"""Test how verdicts are served week by week: no label, row or day is used before its time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.labelled_table import LabelledTable, UnfitData
from benchmarks.poisson_bound import highest_mean
from benchmarks.reach import verdict_targets
from benchmarks.served_verdict import Served, ServedTable
from benchmarks.verdict_figures import ServedDays, budget_a_day
from benchmarks.week_models import LogOdds, WeekModels
from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.application.scoring.outcomes import APPROVE, DECLINE, REVIEW
from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.calibration.calibrator import log_odds_of
from fraudwatch.domain.features.events import Events
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.hashing import keys_of
from fraudwatch.domain.policy.policy import AlertBudget, FixedScore, Policy
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.stack.home import ROOT

POLICY = load_policy(ROOT / "contracts/policies/default.yaml")
FIRST_DAY = 18_000
DAYS, A_DAY = 91, 200


def a_table(fraud_share: float = 0.05) -> tuple[LabelledTable, Float64s]:
    """Generate purchases with a true log-odds of fraud each."""
    random = np.random.default_rng(5)
    rows = DAYS * A_DAY
    at_ms = (FIRST_DAY * DAY_MS) + np.arange(rows) * (DAY_MS // A_DAY)
    share = random.beta(0.2, 0.2 / fraud_share, rows).clip(1e-6, 1 - 1e-6)
    no_key, unknown = np.zeros(rows, dtype=np.uint64), np.full(rows, np.nan)
    places = ("latitude", "longitude", "billing_latitude", "billing_longitude")
    shipping = ("shipping_latitude", "shipping_longitude", "item_count")
    events = Events(
        customer_key=keys_of([f"c{n}" for n in random.integers(0, 50, rows)]),
        transaction_key=keys_of([f"t{n}" for n in range(rows)]),
        event_at_ms=at_ms,
        produced_at_ms=at_ms,
        amount_eur_cents=np.full(rows, 1_000),
        is_approved=np.ones(rows, dtype=np.bool_),
        is_present=np.ones(rows, dtype=np.bool_),
        **dict.fromkeys((*places, *shipping), unknown),
        **dict.fromkeys(("category_key", "device_key", "country_key"), no_key),
        merchant_key=no_key,
    )
    return LabelledTable(events, random.random(rows) < share), log_odds_of(share)


class Fits:
    """Fit that knows the true log-odds, shifted; remembers on which rows each model was trained."""

    def __init__(self, log_odds: Float64s) -> None:
        self.log_odds = log_odds
        self.used: list[tuple[Int64s, Int64s]] = []

    def __call__(self, trained: Int64s) -> LogOdds:
        def score(rows: Int64s) -> Float64s:
            self.used.append((trained, rows))
            return self.log_odds[rows] * 2 + 1

        return score


def served_table(policy: Policy = POLICY) -> tuple[ServedTable, Fits]:
    table, log_odds = a_table()
    fits = Fits(log_odds)
    random = np.random.default_rng(7)
    vectors = np.full((len(log_odds), len(VECTOR_FEATURES)), np.nan)
    return (
        ServedTable(
            table=table,
            vectors=vectors,
            anomaly=random.random(len(log_odds)),
            policy=policy,
            models=WeekModels(table, fits),
        ),
        fits,
    )


def test_each_model_scores_only_days_after_its_training_days_and_a_label_delay() -> None:
    source, fits = served_table()
    served = source.serve(FIRST_DAY + 77, FIRST_DAY + 91)
    day = source.table.purchases.day
    assert np.array_equal(served.rows, np.flatnonzero(day >= FIRST_DAY + 77))
    # Two tested weeks, and three more by which the first is calibrated: four, one is shared.
    weeks = [int(day[scored[-1]]) - 6 - FIRST_DAY for _, scored in fits.used]
    assert sorted(weeks) == [42, 49, 56, 63, 70, 77, 84]
    for (trained, scored), week in zip(fits.used, weeks, strict=True):
        assert int(day[trained].max()) == FIRST_DAY + week - 8
        assert int(day[trained].min()) == max(FIRST_DAY, FIRST_DAY + week - 37)
        assert int(day[scored].min()) == FIRST_DAY + week - 7


def test_later_labels_change_no_verdict() -> None:
    source, _ = served_table()
    week = FIRST_DAY + 77
    before = source.serve(week, week + 7)
    other, _ = served_table()
    is_later = other.table.purchases.day >= week - 7
    other.table.is_fraud[is_later] = ~other.table.is_fraud[is_later]
    after = other.serve(week, week + 7)
    for name in Served._fields:
        assert np.array_equal(getattr(before, name), getattr(after, name)), name


def test_scores_are_calibrated_though_the_models_are_not() -> None:
    source, _ = served_table()
    figures = ServedDays.of(source, source.serve(FIRST_DAY + 63, FIRST_DAY + 91)).figures()
    calibration = figures["calibration"]
    assert 0.8 < calibration["slope"] < 1.2
    assert calibration["brier"] < calibration["brier_of_base_rate"]
    assert len(calibration["bins"]) == 5


@pytest.mark.parametrize("alerts_a_day", [8, 15])
def test_alerts_follow_the_budget_of_the_policy(alerts_a_day: int) -> None:
    policy = replace(POLICY, review=AlertBudget(alerts_a_day))
    source, _ = served_table(policy)
    figures = ServedDays.of(source, source.serve(FIRST_DAY + 70, FIRST_DAY + 91)).figures()
    alerts = figures["alerts"]
    assert alerts["budget_a_day"] == alerts_a_day
    assert alerts["a_day"] == pytest.approx(alerts_a_day, rel=0.25)


def test_without_an_earlier_week_the_model_is_calibrated_across_customers() -> None:
    source, fits = served_table()
    week = FIRST_DAY + 28
    source.serve(week, week + 7)
    assert source.calibrated_by == {week: "cross-fitted by customer, 3 parts"}
    card = source.table.purchases.card
    parts = [one for one in fits.used if not np.isin(card[one[1]], card[one[0]]).any()]
    assert len(parts) == 3
    day = source.table.purchases.day
    assert all(day[trained].max() < week - 7 > day[scored].max() for trained, scored in parts)


def test_too_few_known_frauds_are_refused() -> None:
    source, _ = served_table()
    source.table.is_fraud[:] = False
    with pytest.raises(UnfitData, match="hold 0 known frauds and a model needs 10"):
        source.serve(FIRST_DAY + 77, FIRST_DAY + 84)


def test_figures_of_literal_verdicts() -> None:
    outcome = np.array([DECLINE, DECLINE, REVIEW, APPROVE, APPROVE, REVIEW])
    rows = np.arange(6)
    infinite = np.full(6, np.inf)
    served = Served(
        rows, np.zeros(6), np.array([0.9, 0.8, 0.3, 0.0, 0.0, 0.2]), outcome,
        np.array([False] * 5 + [True]), infinite, infinite,
    )  # fmt: skip
    is_fraud = np.array([True, False, True, False, True, False])
    hits = np.zeros((6, len(POLICY.rules)), dtype=np.bool_)
    day = np.array([100, 100, 101, 101, 101, 108])
    figures = ServedDays(served, day, is_fraud, hits, POLICY).figures()
    alerts, declines = figures["alerts"], figures["declines"]
    assert (alerts["days"], alerts["a_day"]) == (3, pytest.approx(4 / 3))
    assert (alerts["precision"], alerts["recall"]) == (0.5, pytest.approx(2 / 3))
    assert (declines["count"], declines["precision"]) == (2, 0.5)
    assert declines["honest_declined_below"] == pytest.approx(highest_mean(1) / 3)
    weeks = [(one["begins"], one["declines"], one["decline_from"]) for one in figures["by_week"]]
    assert weeks == [("1970-04-11", 2, None), ("1970-04-18", 0, None)]


def test_a_small_shop_has_the_budget_of_its_share_and_a_fixed_score_has_none() -> None:
    assert budget_a_day(POLICY, 10_000) == 60
    assert budget_a_day(POLICY, 100) == pytest.approx(12)
    assert budget_a_day(replace(POLICY, review=FixedScore(0.5)), 10_000) is None


# Exact limits of a Poisson mean, from tables.
@pytest.mark.parametrize(("events", "limit"), [(0, 2.996), (1, 4.744), (5, 10.513), (100, 118.08)])
def test_the_upper_bound_of_a_count_is_that_of_the_tables(events: int, limit: float) -> None:
    assert highest_mean(events) == pytest.approx(limit, abs=0.01)


def test_the_honest_bound_counts_only_with_enough_honest_purchases(figures: dict[str, Any]) -> None:
    names = [one["name"] for one in verdict_targets(figures)]
    assert "honest declined, upper 95 % bound" not in names
    figures["declines"] |= {"honest_purchases": 300_000, "honest_declined_below": 1e-4}
    reached = {one["name"]: one["is_reached"] for one in verdict_targets(figures)}
    assert reached == {
        "alerts a day": False,
        "precision of declines": True,
        "honest declined, upper 95 % bound": False,
        "slope of observed on predicted": True,
        "bins inside their 95 % interval": True,
        "Brier score": True,
    }
