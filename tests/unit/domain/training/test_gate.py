from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.domain.evaluation.labelled_scores import DAY_MS, Floats, Judged
from fraudwatch.domain.training.capacity import score_at_capacity
from fraudwatch.domain.training.curves import precision_recall, reliability
from fraudwatch.domain.training.downsampling import drawn_of
from fraudwatch.domain.training.gate import Contest, Ruling, Terms, decide
from fraudwatch.domain.training.numbers import (
    MeanAndSpread,
    numbers_by_segment,
    numbers_of,
    over_folds,
)
from fraudwatch.domain.training.under_policy import Answered, under_policy
from fraudwatch.stack.place import ROOT

DAYS, A_DAY = 4, 500


def a_world(seed: int = 1, fraud_share: float = 0.05) -> Judged:
    random = np.random.default_rng(seed)
    count = DAYS * A_DAY
    return Judged(
        transaction=np.arange(1, count + 1, dtype=np.uint64),
        card=random.integers(1, 400, count).astype(np.uint64),
        event_at_ms=np.repeat(np.arange(DAYS), A_DAY) * DAY_MS + 1,
        eur_cents=random.integers(100, 90_000, count).astype(np.float64),
        is_fraud=random.random(count) < fraud_share,
    )


def a_score(judged: Judged, strength: float, seed: int = 2) -> Floats:
    noise = np.random.default_rng(seed).normal(size=len(judged.is_fraud))
    return judged.is_fraud * strength + noise


def ruled(strength: float, reference: float, **changes: Floats) -> Ruling:
    judged = a_world()
    columns = {
        "challenger": a_score(judged, strength, 2),
        "reference": a_score(judged, reference, 3),
    } | changes
    contest = Contest(judged=judged, reference_name="champion", **columns)
    return decide(contest, Terms(cards_a_day=20)).ruling


def test_only_a_better_challenger_gets_through() -> None:
    assert ruled(3.0, 1.0) is Ruling.BETTER
    assert ruled(1.0, 3.0) is Ruling.NOT_BETTER
    assert ruled(2.0, 2.0) is Ruling.NOT_BETTER


def test_the_same_score_is_not_better_than_itself() -> None:
    judged = a_world()
    same = a_score(judged, 2.0)
    found = decide(
        Contest(judged=judged, challenger=same, reference=same, reference_name="champion"), Terms()
    )
    assert found.ruling is Ruling.NOT_BETTER
    assert "is not 0.005 above" in found.because


def test_a_lead_that_is_chance_does_not_count() -> None:
    judged = a_world(fraud_share=0.01)
    reference = a_score(judged, 2.0, 3)
    better = reference.copy()
    first_fraud = np.flatnonzero(judged.is_fraud)[:1]
    better[first_fraud] = reference.max() + 1
    terms = Terms(fewest_frauds=1, margin=0.0, cards_a_day=20, wins_ratio=0.9)
    found = decide(
        Contest(judged=judged, challenger=better, reference=reference, reference_name="x"), terms
    )
    assert found.wins_ratio < 0.9
    assert found.ruling is Ruling.NOT_BETTER
    assert "of the samples" in found.because


def test_fraud_money_and_cards_count_too() -> None:
    judged = a_world()
    dear = judged.eur_cents > np.median(judged.eur_cents[judged.is_fraud])
    cheap_alone = np.where(judged.is_fraud & ~dear, 10.0, a_score(judged, 0.0))
    dear_alone = np.where(judged.is_fraud & dear, 10.0, a_score(judged, -3.0))
    found = decide(
        Contest(
            judged=judged, challenger=cheap_alone, reference=dear_alone, reference_name="champion"
        ),
        Terms(cards_a_day=10),
    )
    assert found.ruling is Ruling.NOT_BETTER
    assert "fraud money" in found.because


def test_days_that_the_champion_did_not_serve_whole_are_left_out() -> None:
    judged = a_world()
    reference = a_score(judged, 1.0)
    reference[judged.day == 0] = np.nan
    half = np.flatnonzero(judged.day == 1)[: A_DAY // 2]
    reference[half] = np.nan
    found = decide(
        Contest(
            judged=judged,
            challenger=a_score(judged, 3.0),
            reference=reference,
            reference_name="champion",
        ),
        Terms(cards_a_day=20),
    )
    assert (found.ruling, found.days) == (Ruling.BETTER, 2)
    assert found.frauds == int(judged.is_fraud[judged.day > 1].sum())


@pytest.mark.parametrize(
    ("fraud_share", "known", "words"),
    [
        (0.05, 0.0, "served no whole day"),
        (0.0, 1.0, "0 known frauds"),
        (0.002, 1.0, "20 are needed"),
        (1.0, 1.0, "no genuine purchase"),
    ],
)
def test_what_cannot_be_told_is_said(fraud_share: float, known: float, words: str) -> None:
    judged = a_world(fraud_share=fraud_share)
    score = a_score(judged, 1.0)
    reference = score if known else np.full(len(score), np.nan)
    found = decide(
        Contest(judged=judged, challenger=score, reference=reference, reference_name="c"), Terms()
    )
    assert found.ruling is Ruling.CANNOT_TELL
    assert words in found.because


def test_nothing_at_all_cannot_be_told() -> None:
    judged = Judged(
        transaction=np.empty(0, np.uint64),
        card=np.empty(0, np.uint64),
        event_at_ms=np.empty(0, np.int64),
        eur_cents=np.empty(0),
        is_fraud=np.empty(0, np.bool_),
    )
    nothing = np.empty(0)
    contest = Contest(judged=judged, challenger=nothing, reference=nothing, reference_name="c")
    assert decide(contest, Terms()).ruling is Ruling.CANNOT_TELL


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
def test_all_frauds_stay_and_the_rest_stands_for_all(frauds: int, genuine: int, most: int) -> None:
    drawn = drawn_of(frauds, genuine, most)
    assert 0 < drawn.genuine_ratio <= 1
    kept = genuine * drawn.genuine_ratio
    assert kept <= max(most - frauds, most // 2) + 1e-6 or drawn.genuine_ratio == 1
    assert kept * drawn.genuine_weight == pytest.approx(genuine)


def test_numbers_of_segments_need_frauds() -> None:
    judged = a_world()
    segment = np.where(np.arange(len(judged.is_fraud)) % 10 == 0, None, "online").astype(object)
    found = numbers_by_segment(judged, a_score(judged, 2.0), segment)
    assert set(found) <= {"online", "None"}
    assert found["online"]["purchases"] == 1_800
    assert numbers_by_segment(a_world(fraud_share=0.001), a_score(judged, 1.0), segment) == {}


def test_mean_and_spread_over_folds_pass_over_the_unknown() -> None:
    found = over_folds([{"a": 1.0, "b": math.nan}, {"a": 3.0, "b": math.nan}])
    assert found["a"] == MeanAndSpread(2.0, pytest.approx(math.sqrt(2)))
    assert math.isnan(found["b"].mean)
    assert math.isnan(over_folds([{"a": 1.0}])["a"].std)


def test_a_perfect_score_has_perfect_numbers_and_curves() -> None:
    judged = a_world()
    score = judged.is_fraud.astype(np.float64)
    found = numbers_of(judged, score, 20)
    assert found["average_precision"] == found["auc"] == found["card_precision_of_perfect"] == 1
    curve = precision_recall(score, judged.is_fraud)
    assert curve[0] == {"recall": 1.0, "precision": 1.0}
    assert precision_recall(score, np.zeros(len(score), np.bool_)) == []
    low, high = reliability(score, judged.is_fraud)
    assert (low["fraud_ratio"], high["fraud_ratio"]) == (0, 1)
    assert low["purchases"] + high["purchases"] == len(score)


def test_a_policy_is_asked_how_many_alerts_it_would_give() -> None:
    policy = load_policy(ROOT / "contracts/policies/default.yaml")
    days = np.repeat(np.arange(2), 50)
    probability = np.linspace(0, 1, 100)
    said = Answered(
        points=np.where(np.arange(100) == 0, 50, 0),
        anomaly=np.full(100, np.nan),
        probability=probability,
        eur_cents=np.zeros(100),
        day=days,
    )
    found = under_policy(policy, said, 5)
    score = 0.9 * probability  # the policy's weight, where no rule hit
    score[0] = 0.5
    assert found.alerts_from_score == 0.3
    assert found.alerts_a_day == (score >= 0.3).sum() / 2
    assert (score >= found.full_from.score - 1e-9).sum() == 10
    assert found.full_from.alerts_a_day == 5
    loud = replace(said, anomaly=np.ones(100), eur_cents=np.full(100, np.nan))
    assert under_policy(policy, loud, 5).alerts_a_day == 50  # the anomaly alone: 0.4
