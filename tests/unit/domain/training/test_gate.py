from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.domain.arrays import Bools, Float64s
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.training.capacity import score_at_capacity
from fraudwatch.domain.training.curves import precision_recall, reliability
from fraudwatch.domain.training.downsampling import sample_of
from fraudwatch.domain.training.final_verdicts import FinalVerdicts, verdict_numbers
from fraudwatch.domain.training.gate import (
    GateConfig,
    GateDecision,
    GateInput,
    GateResult,
    decide,
)
from fraudwatch.domain.training.numbers import (
    MeanAndSpread,
    numbers_by_segment,
    numbers_of,
    over_folds,
    part_of,
)

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
    """Probabilities of fraud that know more with more strength, and are calibrated."""
    noise = np.random.default_rng(seed).normal(size=len(labelled.is_fraud))
    # By Bayes: normal evidence, shifted by its strength for frauds.
    evidence = labelled.is_fraud * strength + noise
    rate = max(float(labelled.is_fraud.mean()), 1e-4)
    log_odds = strength * evidence - strength**2 / 2 + math.log(rate / (1.0001 - rate))
    return 1 / (1 + np.exp(-log_odds))


def verdicts(
    score: Float64s,
    declined: Bools | None = None,
    alerts: Mapping[int, int] | None = None,
) -> FinalVerdicts:
    return FinalVerdicts(
        score=score,
        is_score_decline=np.zeros(len(score), np.bool_) if declined is None else declined,
        alerts=dict.fromkeys(range(DAYS), 10) if alerts is None else alerts,
    )


def judged(
    labelled: LabelledScores,
    challenger: FinalVerdicts | Float64s,
    reference: FinalVerdicts | Float64s,
    config: GateConfig | None = None,
    *,
    budget_a_day: float | None = None,
) -> GateResult:
    sides = [one if isinstance(one, FinalVerdicts) else verdicts(one)
             for one in (challenger, reference)]  # fmt: skip
    given = GateInput(
        labelled=labelled,
        challenger=sides[0],
        reference=sides[1],
        reference_name="champion",
        budget_a_day=budget_a_day,
    )
    return decide(given, config or GateConfig(cards_a_day=20))


def decided(strength: float, reference: float) -> GateDecision:
    labelled = a_world()
    return judged(labelled, a_score(labelled, strength, 2), a_score(labelled, reference, 3)).ruling


def test_only_a_better_challenger_passes() -> None:
    assert decided(3.0, 1.0) is GateDecision.BETTER
    assert decided(1.0, 3.0) is GateDecision.NOT_BETTER
    assert decided(2.0, 2.0) is GateDecision.NOT_BETTER


def test_the_same_score_is_not_better_than_itself() -> None:
    labelled = a_world()
    same = a_score(labelled, 2.0)
    found = judged(labelled, same, same)
    assert found.ruling is GateDecision.NOT_BETTER
    assert "is not 0.005 above" in found.because


def test_a_lead_by_chance_does_not_count() -> None:
    labelled = a_world(fraud_share=0.01)
    reference = a_score(labelled, 2.0, 3)
    better = reference.copy()
    first_fraud = np.flatnonzero(labelled.is_fraud)[:1]
    better[first_fraud] = reference.max() + 0.001
    config = GateConfig(fewest_frauds=1, margin=0.0, cards_a_day=20, wins_ratio=0.9)
    found = judged(labelled, better, reference, config)
    assert found.wins_ratio < 0.9
    assert found.ruling is GateDecision.NOT_BETTER
    assert "of the samples" in found.because


def test_fraud_amount_and_cards_count_too() -> None:
    labelled = a_world()
    is_large = labelled.eur_cents > np.median(labelled.eur_cents[labelled.is_fraud])
    small_alone = np.where(labelled.is_fraud & ~is_large, 1.0, a_score(labelled, 0.1))
    large_alone = np.where(labelled.is_fraud & is_large, 1.0, a_score(labelled, 0.1))
    found = judged(labelled, small_alone, large_alone, GateConfig(cards_a_day=10))
    assert found.ruling is GateDecision.NOT_BETTER
    assert "fraud amount" in found.because


def test_recall_at_one_false_positive_in_a_thousand_must_not_fall() -> None:
    labelled = a_world()
    reference = np.where(labelled.is_fraud, 0.3, 0.01) + a_score(labelled, 0.1) * 0.001
    reference[labelled.is_fraud & (np.arange(len(reference)) % 3 > 0)] = 0.008
    challenger = np.where(labelled.is_fraud, 0.5, 0.01)
    challenger[np.flatnonzero(~labelled.is_fraud)[:4]] = 0.9  # one in 475 above every fraud
    found = judged(labelled, challenger, reference)
    assert found.challenger["average_precision"] > found.reference["average_precision"]
    assert found.ruling is GateDecision.NOT_BETTER
    assert found.because == "recall at a false positive ratio of .001: 0.000 against 0.319"
    few = part_of(labelled, labelled.day < 2)
    half = len(few.is_fraud)
    # With 950 genuine purchases one in 1,000 cannot be measured.
    assert judged(few, challenger[:half], reference[:half]).ruling is GateDecision.BETTER


def test_a_score_must_be_a_better_probability_than_the_base_rate() -> None:
    labelled = a_world()
    good = a_score(labelled, 3.0)
    found = judged(labelled, 0.5 + good / 2, a_score(labelled, 1.0, 3))
    assert found.ruling is GateDecision.NOT_BETTER
    assert found.because.startswith("the score is no better a probability than the base rate")
    assert found.challenger["brier"] > found.challenger["brier_of_base_rate"]


@pytest.mark.parametrize(
    ("alerts_a_day", "budget", "ruling"),
    [
        (20, 10.0, GateDecision.BETTER),  # 15 and three times the root of 15 in four days: 20.8
        (21, 10.0, GateDecision.NOT_BETTER),
        (21, None, GateDecision.BETTER),
        (3, 0.0, GateDecision.NOT_BETTER),
    ],
)
def test_alerts_must_not_exceed_the_budget_beyond_chance(
    alerts_a_day: int, budget: float | None, ruling: GateDecision
) -> None:
    labelled = a_world()
    challenger = verdicts(
        a_score(labelled, 3.0), alerts=dict.fromkeys(range(DAYS), alerts_a_day) | {99: 1_000}
    )
    found = judged(labelled, challenger, a_score(labelled, 1.0, 3), budget_a_day=budget)
    assert found.ruling is ruling, found.because
    assert found.challenger["alerts_a_day"] == alerts_a_day
    assert found.reference["alerts_a_day"] == 10
    if ruling is GateDecision.NOT_BETTER:
        assert f"{alerts_a_day}.0 alerts a day" in found.because


def test_declines_by_score_are_measured_for_both() -> None:
    labelled = a_world()
    score = a_score(labelled, 3.0)
    frauds, honest = np.flatnonzero(labelled.is_fraud), np.flatnonzero(~labelled.is_fraud)
    declined = np.zeros(len(score), np.bool_)
    declined[[*frauds[:9], honest[0]]] = True
    numbers = verdict_numbers(labelled, verdicts(score, declined))
    assert numbers["score_declines"] == 10
    assert numbers["score_decline_precision"] == 0.9
    assert numbers["honest_declined_ratio"] == 1 / len(honest)
    assert 1 / len(honest) < numbers["honest_declined_below"] < 6 / len(honest)
    none = verdict_numbers(labelled, verdicts(score))
    assert math.isnan(none["score_decline_precision"])
    assert none["honest_declined_ratio"] == 0


def test_days_with_few_reference_scores_are_left_out() -> None:
    labelled = a_world()
    reference = a_score(labelled, 1.0)
    reference[labelled.day == 0] = np.nan
    half = np.flatnonzero(labelled.day == 1)[: A_DAY // 2]
    reference[half] = np.nan
    found = judged(labelled, a_score(labelled, 3.0), reference)
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
    found = judged(labelled, score, reference, GateConfig())
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
    assert judged(labelled, nothing, nothing).ruling is GateDecision.INCONCLUSIVE


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
