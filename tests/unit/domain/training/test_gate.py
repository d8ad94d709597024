from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.training.capacity import score_at_capacity
from fraudwatch.domain.training.curves import precision_recall, reliability
from fraudwatch.domain.training.downsampling import sample_of
from fraudwatch.domain.training.gate import GateConfig, GateDecision, GateInput, decide
from fraudwatch.domain.training.numbers import (
    MeanAndSpread,
    numbers_by_segment,
    numbers_of,
    over_folds,
)
from fraudwatch.domain.training.under_policy import ScoredPurchases, under_policy
from fraudwatch.stack.home import ROOT

DAYS, A_DAY = 4, 500


def a_world(seed: int = 1, fraud_share: float = 0.05) -> LabelledScores:
    random = np.random.default_rng(seed)
    count = DAYS * A_DAY
    return LabelledScores(
        transaction=np.arange(1, count + 1, dtype=np.uint64),
        card=random.integers(1, 400, count).astype(np.uint64),
        event_at_ms=np.repeat(np.arange(DAYS), A_DAY) * DAY_MS + 1,
        eur_cents=random.integers(100, 90_000, count).astype(np.float64),
        is_fraud=random.random(count) < fraud_share,
    )


def a_score(labelled: LabelledScores, strength: float, seed: int = 2) -> Float64s:
    noise = np.random.default_rng(seed).normal(size=len(labelled.is_fraud))
    return labelled.is_fraud * strength + noise


def decided(strength: float, reference: float, **changes: Float64s) -> GateDecision:
    labelled = a_world()
    columns = {
        "challenger": a_score(labelled, strength, 2),
        "reference": a_score(labelled, reference, 3),
    } | changes
    given = GateInput(labelled=labelled, reference_name="champion", **columns)
    return decide(given, GateConfig(cards_a_day=20)).ruling


def test_only_a_better_challenger_passes() -> None:
    assert decided(3.0, 1.0) is GateDecision.BETTER
    assert decided(1.0, 3.0) is GateDecision.NOT_BETTER
    assert decided(2.0, 2.0) is GateDecision.NOT_BETTER


def test_the_same_score_is_not_better_than_itself() -> None:
    labelled = a_world()
    same = a_score(labelled, 2.0)
    found = decide(
        GateInput(labelled=labelled, challenger=same, reference=same, reference_name="champion"),
        GateConfig(),
    )
    assert found.ruling is GateDecision.NOT_BETTER
    assert "is not 0.005 above" in found.because


def test_a_lead_by_chance_does_not_count() -> None:
    labelled = a_world(fraud_share=0.01)
    reference = a_score(labelled, 2.0, 3)
    better = reference.copy()
    first_fraud = np.flatnonzero(labelled.is_fraud)[:1]
    better[first_fraud] = reference.max() + 1
    config = GateConfig(fewest_frauds=1, margin=0.0, cards_a_day=20, wins_ratio=0.9)
    found = decide(
        GateInput(labelled=labelled, challenger=better, reference=reference, reference_name="x"),
        config,
    )
    assert found.wins_ratio < 0.9
    assert found.ruling is GateDecision.NOT_BETTER
    assert "of the samples" in found.because


def test_fraud_amount_and_cards_count_too() -> None:
    labelled = a_world()
    is_large = labelled.eur_cents > np.median(labelled.eur_cents[labelled.is_fraud])
    small_alone = np.where(labelled.is_fraud & ~is_large, 10.0, a_score(labelled, 0.0))
    large_alone = np.where(labelled.is_fraud & is_large, 10.0, a_score(labelled, -3.0))
    found = decide(
        GateInput(
            labelled=labelled,
            challenger=small_alone,
            reference=large_alone,
            reference_name="champion",
        ),
        GateConfig(cards_a_day=10),
    )
    assert found.ruling is GateDecision.NOT_BETTER
    assert "fraud amount" in found.because


def test_days_with_few_reference_scores_are_left_out() -> None:
    labelled = a_world()
    reference = a_score(labelled, 1.0)
    reference[labelled.day == 0] = np.nan
    half = np.flatnonzero(labelled.day == 1)[: A_DAY // 2]
    reference[half] = np.nan
    found = decide(
        GateInput(
            labelled=labelled,
            challenger=a_score(labelled, 3.0),
            reference=reference,
            reference_name="champion",
        ),
        GateConfig(cards_a_day=20),
    )
    assert (found.ruling, found.days) == (GateDecision.BETTER, 2)
    assert found.frauds == int(labelled.is_fraud[labelled.day > 1].sum())


@pytest.mark.parametrize(
    ("fraud_share", "known", "words"),
    [
        (0.05, 0.0, "served no whole day"),
        (0.0, 1.0, "0 known frauds"),
        (0.002, 1.0, "20 are needed"),
        (1.0, 1.0, "no genuine purchase"),
    ],
)
def test_the_reason_says_why_there_is_no_decision(
    fraud_share: float, known: float, words: str
) -> None:
    labelled = a_world(fraud_share=fraud_share)
    score = a_score(labelled, 1.0)
    reference = score if known else np.full(len(score), np.nan)
    found = decide(
        GateInput(labelled=labelled, challenger=score, reference=reference, reference_name="c"),
        GateConfig(),
    )
    assert found.ruling is GateDecision.INCONCLUSIVE
    assert words in found.because


def test_no_purchases_no_decision() -> None:
    labelled = LabelledScores(
        transaction=np.empty(0, np.uint64),
        card=np.empty(0, np.uint64),
        event_at_ms=np.empty(0, np.int64),
        eur_cents=np.empty(0),
        is_fraud=np.empty(0, np.bool_),
    )
    nothing = np.empty(0)
    given = GateInput(labelled=labelled, challenger=nothing, reference=nothing, reference_name="c")
    assert decide(given, GateConfig()).ruling is GateDecision.INCONCLUSIVE


@given(
    scores=st.lists(st.integers(0, 8), min_size=1, max_size=60),
    days=st.integers(1, 4),
    a_day=st.integers(1, 20),
)
def test_alerts_fill_the_capacity_and_no_more(scores: list[int], days: int, a_day: int) -> None:
    score = np.array(scores, dtype=np.float64)
    day = np.arange(len(scores)) % days
    found = score_at_capacity(score, day, a_day)
    room = len(np.unique(day)) * a_day
    alerts = int((score >= found.score).sum())
    assert alerts <= room
    assert found.alerts_a_day == alerts / len(np.unique(day))
    below = score[score < found.score]
    assert not len(below) or int((score >= below.max()).sum()) > room


def test_no_purchases_have_no_threshold() -> None:
    assert math.isnan(score_at_capacity(np.empty(0), np.empty(0, np.int64), 5).score)


@given(st.integers(0, 10_000), st.integers(0, 10_000_000), st.integers(2, 100_000))
def test_all_frauds_are_kept_and_the_rest_is_weighted(frauds: int, genuine: int, most: int) -> None:
    drawn = sample_of(frauds, genuine, most)
    assert 0 < drawn.genuine_ratio <= 1
    kept = genuine * drawn.genuine_ratio
    assert kept <= max(most - frauds, most // 2) + 1e-6 or drawn.genuine_ratio == 1
    assert kept * drawn.genuine_weight == pytest.approx(genuine)


def test_numbers_of_segments_need_frauds() -> None:
    labelled = a_world()
    segment = np.where(np.arange(len(labelled.is_fraud)) % 10 == 0, None, "online").astype(object)
    found = numbers_by_segment(labelled, a_score(labelled, 2.0), segment)
    assert set(found) <= {"online", "None"}
    assert found["online"]["purchases"] == 1_800
    assert numbers_by_segment(a_world(fraud_share=0.001), a_score(labelled, 1.0), segment) == {}


def test_mean_and_spread_over_folds_ignore_unknown_values() -> None:
    found = over_folds([{"a": 1.0, "b": math.nan}, {"a": 3.0, "b": math.nan}])
    assert found["a"] == MeanAndSpread(2.0, pytest.approx(math.sqrt(2)))
    assert math.isnan(found["b"].mean)
    assert math.isnan(over_folds([{"a": 1.0}])["a"].std)


def test_a_perfect_score_has_perfect_numbers_and_curves() -> None:
    labelled = a_world()
    score = labelled.is_fraud.astype(np.float64)
    found = numbers_of(labelled, score, 20)
    assert found["average_precision"] == found["auc"] == found["card_precision_of_perfect"] == 1
    curve = precision_recall(score, labelled.is_fraud)
    assert curve[0] == {"recall": 1.0, "precision": 1.0}
    assert precision_recall(score, np.zeros(len(score), np.bool_)) == []
    low, high = reliability(score, labelled.is_fraud)
    assert (low["fraud_ratio"], high["fraud_ratio"]) == (0, 1)
    assert low["purchases"] + high["purchases"] == len(score)


def test_a_policy_is_applied_to_a_challengers_scores() -> None:
    policy = load_policy(ROOT / "contracts/policies/default.yaml")
    days = np.repeat(np.arange(2), 50)
    probability = np.linspace(0, 1, 100)
    purchases = ScoredPurchases(
        points=np.where(np.arange(100) == 0, 50, 0),
        anomaly=np.full(100, np.nan),
        probability=probability,
        eur_cents=np.zeros(100),
        day=days,
    )
    found = under_policy(policy, purchases, 5)
    score = 0.9 * probability  # the policy's weight, where no rule hit
    score[0] = 0.5
    assert found.alerts_from_score == 0.3
    assert found.alerts_a_day == (score >= 0.3).sum() / 2
    assert (score >= found.full_from.score - 1e-9).sum() == 10
    assert found.full_from.alerts_a_day == 5
    unusual = replace(purchases, anomaly=np.ones(100), eur_cents=np.full(100, np.nan))
    assert under_policy(policy, unusual, 5).alerts_a_day == 50  # the anomaly alone: 0.4
