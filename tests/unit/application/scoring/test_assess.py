from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.application.scoring.assess import Assessment, assess
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES, VECTOR_INDEX
from fraudwatch.domain.messages.verdict import Mode, Outcome, Reason, Risk
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.bounds import Bounds
from fraudwatch.domain.policy.combination import AnomalyPart, amount_tiebreak, combined
from fraudwatch.domain.policy.policy import OUTCOMES, ControlGroup, Level, Policy
from fraudwatch.domain.rules.high_amount import HighAmount
from fraudwatch.domain.rules.impossible_travel import ImpossibleTravel
from fraudwatch.domain.rules.lists import NEVER_EXPIRES, DenyList, ListEntries
from fraudwatch.domain.rules.rapid_purchases import RapidPurchases
from fraudwatch.domain.rules.rule import RuleInput

POLICY = Policy(
    version="test",
    rules=(
        HighAmount(points=50, at_least_eur_cents=100_000),
        RapidPurchases(points=30, more_than=6),
        ImpossibleTravel(points=80, faster_than_kmh=1_000, farther_than_km=300),
    ),
    levels=(
        Level(Risk.LOW, 0),
        Level(Risk.MEDIUM, 30),
        Level(Risk.HIGH, 50),
        Level(Risk.CRITICAL, 80),
    ),
)
BOUNDS = Bounds(review_from=0.1, decline_from=0.9)


def inputs_of(*purchases: tuple[int, int, float]) -> RuleInput:
    """Rule inputs of purchases: (euro cents, purchases in ten minutes, km/h)."""
    features = np.zeros((len(purchases), len(VECTOR_FEATURES)))
    for row, (_, count, kmh) in enumerate(purchases):
        features[row, VECTOR_INDEX["purchase_count_10m"]] = count
        features[row, VECTOR_INDEX["from_located_kmh"]] = kmh
        features[row, VECTOR_INDEX["from_located_km"]] = kmh
    return RuleInput(np.array([amount for amount, _, _ in purchases]), features)


def scored(share: float, amount_eur_cents: int) -> float:
    """Score of rules and models plus the amount tiebreak, see docs/rules.md."""
    tiebreak = 0.009 * amount_eur_cents / (amount_eur_cents + 10_000)
    return round(1 - (1 - share) * (1 - tiebreak), 12)


@pytest.mark.parametrize(
    ("purchase", "score", "risk", "rules"),
    [
        ((100, 0, 0.0), 0.0, Risk.LOW, []),
        ((100, 6, 0.0), 0.3, Risk.MEDIUM, ["rapid_purchases"]),
        ((100_000, 0, 0.0), 0.5, Risk.HIGH, ["high_amount"]),
        ((100_000, 6, np.nan), 0.8, Risk.CRITICAL, ["high_amount", "rapid_purchases"]),
        (
            (100_000, 6, 5_000.0),
            1.0,
            Risk.CRITICAL,
            ["impossible_travel", "high_amount", "rapid_purchases"],
        ),
    ],
)
def test_points_add_up_to_a_level_and_the_strongest_reason_comes_first(
    purchase: tuple[int, int, float], score: float, risk: Risk, rules: list[str]
) -> None:
    result = assess(inputs_of(purchase), POLICY)
    assert result.score[0] == scored(score, purchase[0])
    assert POLICY.levels[result.level[0]].risk is risk
    assert [reason.rule for reason in result.reasons[0]] == rules


def test_a_batch_scores_like_its_purchases_one_by_one() -> None:
    purchases = [(100, 0, 0.0), (100_000, 9, np.nan), (5, 2, 9_999.0)]
    together = assess(inputs_of(*purchases), POLICY)
    for row, purchase in enumerate(purchases):
        alone = assess(inputs_of(purchase), POLICY)
        assert together.score[row] == alone.score[0]
        assert together.reasons[row] == alone.reasons[0]


def risk_of(policy: Policy, level: np.int64) -> Risk:
    return policy.levels[level].risk


FOREST = dataclasses.replace(POLICY, anomaly=AnomalyPart(0.4, 0.99))
SHARES = st.floats(0, 1)


def evidence(anomaly: float | None = None, score: float | None = None) -> Evidence:
    return Evidence(
        anomaly=None if anomaly is None else np.array([anomaly]),
        score=None if score is None else np.array([score]),
    )


def outcome_of(result: Assessment) -> Outcome:
    return OUTCOMES[result.outcome[0]]


def test_without_model_outputs_the_score_is_the_points() -> None:
    # Every number of points, bit for bit: 1 - (1 - 0.3) would be 0.30000000000000004.
    points = np.arange(0, 131)
    by_points = np.minimum(points, 100) / 100
    assert np.array_equal(combined(points), by_points)
    nothing = np.zeros(len(points))
    assert np.array_equal(combined(points, nothing, nothing), by_points)
    assert assess(inputs_of((100, 6, 0.0)), FOREST).score[0] == scored(0.3, 100)


def test_without_a_model_nothing_is_declined_by_points() -> None:
    result = assess(inputs_of((100_000, 6, 5_000.0)), POLICY)
    assert (risk_of(POLICY, result.level[0]), outcome_of(result)) == (
        Risk.CRITICAL, Outcome.REVIEW,
    )  # fmt: skip
    assert result.mode is Mode.RULES_ONLY


def test_a_forest_without_weight_in_the_policy_does_not_count() -> None:
    result = assess(inputs_of((100, 6, 0.0)), POLICY, evidence(1.0))
    assert (result.score[0], len(result.reasons[0])) == (scored(0.3, 100), 1)


@pytest.mark.parametrize(
    ("outputs", "score"),
    [
        (evidence(anomaly=0.99), 0.3),
        (evidence(anomaly=0.995), 0.44),  # 1 - 0.7 * 0.8
        (evidence(anomaly=1.0), 0.58),  # 1 - 0.7 * 0.6
        (evidence(np.nan), 0.3),  # an unknown model output counts nothing
        (evidence(1.0, np.nan), 0.58),  # no model has a score for this purchase
    ],
)
def test_parts_combine_by_their_complements(outputs: Evidence, score: float) -> None:
    assert assess(inputs_of((100, 6, 0.0)), FOREST, outputs).score[0] == scored(score, 100)


@given(st.integers(0, 99), st.integers(0, 10**13), st.integers(0, 10**13))
def test_amount_breaks_ties_and_a_point_more_always_wins(
    points: int, amount: int, other: int
) -> None:
    def score(points: int, amount: int) -> float:
        return float(combined(np.array([points]), amount_tiebreak(np.array([amount])))[0])

    cheap, dear = min(amount, other), max(amount, other)
    assert points / 100 <= score(points, cheap) <= score(points, dear) < (points + 1) / 100
    assert score(points, 5_000) < score(points, 20_000)


@given(st.integers(0, 300), st.integers(0, 300), SHARES, SHARES)
def test_points_and_anomaly_are_bounded_and_never_lower_when_one_rises(
    points: int, more_points: int, anomaly: float, more_anomaly: float
) -> None:
    def score(points: int, anomaly: float) -> float:
        share = AnomalyPart(0.4, 0.99).contribution(evidence(anomaly))
        assert share is not None
        return float(combined(np.array([points]), share)[0])

    low = score(min(points, more_points), min(anomaly, more_anomaly))
    high = score(max(points, more_points), max(anomaly, more_anomaly))
    assert 0 <= low <= high <= 1
    assert low >= min(points, more_points, 100) / 100


@given(SHARES, st.integers(0, 8), st.booleans())
def test_with_a_model_the_score_is_its_probability_whatever_the_rules_hit(
    probability: float,
    purchases: int,
    is_far: bool,  # noqa: FBT001  drawn by hypothesis
) -> None:
    kmh = 5_000.0 if is_far else 0.0
    result = assess(
        inputs_of((200_000, purchases, kmh)), FOREST, evidence(1.0, probability), BOUNDS
    )
    assert (result.score[0], result.mode) == (probability, Mode.WITH_MODEL)


@pytest.mark.parametrize(
    ("score", "risk", "outcome"),
    [
        (0.0999, Risk.LOW, Outcome.APPROVE),
        (0.1, Risk.MEDIUM, Outcome.REVIEW),
        (0.5, Risk.HIGH, Outcome.REVIEW),
        (0.8999, Risk.HIGH, Outcome.REVIEW),
        (0.9, Risk.CRITICAL, Outcome.DECLINE),
    ],
)
def test_bounds_of_the_score_make_level_and_outcome(
    score: float, risk: Risk, outcome: Outcome
) -> None:
    result = assess(inputs_of((300_000, 9, 5_000.0)), POLICY, evidence(score=score), BOUNDS)
    assert (risk_of(POLICY, result.level[0]), outcome_of(result)) == (risk, outcome)


def test_a_purchase_between_review_and_decline_can_be_challenged() -> None:
    bounds = dataclasses.replace(BOUNDS, challenge_from=0.6)
    result = assess(inputs_of((100, 0, 0.0)), POLICY, evidence(score=0.7), bounds)
    assert (risk_of(POLICY, result.level[0]), outcome_of(result)) == (
        Risk.HIGH, Outcome.CHALLENGE,
    )  # fmt: skip


def test_a_policy_may_score_by_points_although_there_is_a_model() -> None:
    by_points = dataclasses.replace(POLICY, scores_by_points=True)
    result = assess(inputs_of((100, 6, 0.0)), by_points, evidence(score=0.99), BOUNDS)
    assert (result.score[0], result.mode, outcome_of(result)) == (
        scored(0.3, 100), Mode.RULES_ONLY, Outcome.REVIEW,
    )  # fmt: skip


FLOORS = dataclasses.replace(
    POLICY, floors={"impossible_travel": Outcome.REVIEW, "rapid_purchases": Outcome.DECLINE}
)


@pytest.mark.parametrize(
    ("purchase", "risk", "outcome"),
    [
        ((300_000, 0, 0.0), Risk.LOW, Outcome.APPROVE),  # a hit without a floor
        ((100, 0, 5_000.0), Risk.MEDIUM, Outcome.REVIEW),
        ((100, 6, 0.0), Risk.CRITICAL, Outcome.DECLINE),
        ((100, 6, 5_000.0), Risk.CRITICAL, Outcome.DECLINE),  # the strictest floor
        ((100, 0, np.nan), Risk.LOW, Outcome.APPROVE),  # unknown is no hit
    ],
)
def test_a_floor_raises_level_and_outcome_and_leaves_the_score(
    purchase: tuple[int, int, float], risk: Risk, outcome: Outcome
) -> None:
    result = assess(inputs_of(purchase), FLOORS, evidence(score=0.02), BOUNDS)
    assert (risk_of(FLOORS, result.level[0]), outcome_of(result)) == (risk, outcome)
    assert result.score[0] == 0.02


def test_a_floor_counts_without_a_model_too() -> None:
    assert outcome_of(assess(inputs_of((100, 6, 0.0)), FLOORS)) is Outcome.DECLINE


@given(SHARES, SHARES)
def test_from_medium_on_there_is_a_reason(anomaly: float, score: float) -> None:
    bounds = dataclasses.replace(BOUNDS, novel_from_anomaly=0.999)
    result = assess(inputs_of((100, 0, 0.0)), FOREST, evidence(anomaly, score), bounds)
    assert bool(result.reasons[0]) == (risk_of(FOREST, result.level[0]) is not Risk.LOW)


def test_a_model_alone_explains_itself() -> None:
    unusual = assess(inputs_of((100, 0, 0.0)), FOREST, evidence(anomaly=0.99786))
    assert unusual.reasons[0] == (
        Reason("anomaly", 31, "More unusual than 99.7% of the training purchases; threshold 99%."),
    )
    likely = assess(inputs_of((100, 0, 0.0)), FOREST, evidence(0.5, 0.83), BOUNDS)
    assert likely.reasons[0] == (
        Reason("model", 83, "Fraud probability 0.83: of 100 such purchases about 83 were fraud."),
    )


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.29, "Fraud probability 0.29: of 100 such purchases about 29 were"),
        (0.9996, "Fraud probability 0.999: of 1,000 such purchases about 999 were"),
        (0.0034, "Fraud probability 0.003: of 1,000 such purchases about 3 were"),
    ],
)
def test_a_probability_is_written_in_purchases_and_rounded_down(
    probability: float, text: str
) -> None:
    bounds = Bounds(review_from=0.001)
    result = assess(inputs_of((1, 0, 0.0)), POLICY, evidence(score=probability), bounds)
    [reason] = result.reasons[0]
    assert text in reason.text


def test_below_medium_a_model_is_no_reason_and_beside_rules_only_with_a_point() -> None:
    quiet = assess(inputs_of((100, 0, 0.0)), FOREST, evidence(0.995, 0.05), BOUNDS)
    assert quiet.reasons[0] == ()
    beside = assess(inputs_of((100, 6, 0.0)), FLOORS, evidence(score=0.004), BOUNDS)
    assert [reason.rule for reason in beside.reasons[0]] == ["rapid_purchases"]


WITH_HIGH_VALUE = dataclasses.replace(
    FLOORS, anomaly=AnomalyPart(0.4, 0.99), critical_from_eur_cents=300_000
)


@pytest.mark.parametrize(
    ("purchase", "outputs", "risk", "outcome", "rules"),
    [
        (
            (300_000, 0, 5_000.0), evidence(score=0.02), Risk.CRITICAL, Outcome.REVIEW,
            ["impossible_travel", "high_amount", "model", "high_value"],
        ),
        (
            (300_000, 0, 0.0), evidence(score=0.4), Risk.CRITICAL, Outcome.REVIEW,
            ["high_amount", "model", "high_value"],
        ),
        ((300_000, 0, 0.0), evidence(score=0.02), Risk.LOW, Outcome.APPROVE, ["high_amount"]),
        ((299_999, 0, 0.0), evidence(score=0.4), Risk.MEDIUM, Outcome.REVIEW,
         ["high_amount", "model"]),
        ((300_000, 0, 0.0), evidence(score=1.0), Risk.CRITICAL, Outcome.DECLINE,
         ["model", "high_amount"]),  # it is CRITICAL anyway
    ],
)  # fmt: skip
def test_a_high_value_with_a_suspicion_goes_to_seniors_and_is_not_declined(
    purchase: tuple[int, int, float],
    outputs: Evidence,
    risk: Risk,
    outcome: Outcome,
    rules: list[str],
) -> None:
    result = assess(inputs_of(purchase), WITH_HIGH_VALUE, outputs, BOUNDS)
    assert (risk_of(WITH_HIGH_VALUE, result.level[0]), outcome_of(result)) == (risk, outcome)
    assert [reason.rule for reason in result.reasons[0]] == rules


def test_high_value_is_a_reason_and_leaves_the_score() -> None:
    result = assess(inputs_of((543_210, 0, 0.0)), WITH_HIGH_VALUE, evidence(score=0.2), BOUNDS)
    assert result.score[0] == 0.2
    assert result.reasons[0][-1] == Reason(
        "high_value",
        0,
        "Amount 5,432.10 EUR with other evidence against it; high-value limit 3,000.00 EUR.",
    )


DENY = DenyList(60, ListEntries(merchant_country={"NO": NEVER_EXPIRES}))
LISTS = dataclasses.replace(
    WITH_HIGH_VALUE,
    rules=(*WITH_HIGH_VALUE.rules, DENY),
    floors={**FLOORS.floors, "deny_list": Outcome.DECLINE},
    allow=ListEntries(merchant_id={"m-1": NEVER_EXPIRES}),
)


def sold_by(merchant_id: str, country: str, purchase: tuple[int, int, float]) -> RuleInput:
    return inputs_of(purchase)._replace(merchant_id=[merchant_id], merchant_country=[country])


def test_an_allowed_purchase_is_approved_and_keeps_its_reasons() -> None:
    result = assess(sold_by("m-1", "DE", (400_000, 9, 0.0)), LISTS, evidence(0.0, 0.97), BOUNDS)
    assert (outcome_of(result), risk_of(LISTS, result.level[0])) == (Outcome.APPROVE, Risk.LOW)
    assert result.score[0] == 0.97
    assert [reason.rule for reason in result.reasons[0]] == [
        "high_amount",
        "rapid_purchases",
        "allow_list",
    ]
    assert result.reasons[0][-1] == Reason(
        "allow_list", 0, "On the allow list: the merchant m-1; approved over all other reasons."
    )


def test_without_a_hit_the_allow_list_is_no_reason() -> None:
    result = assess(sold_by("m-1", "DE", (100, 0, 0.0)), LISTS)
    assert (risk_of(LISTS, result.level[0]), result.reasons[0]) == (Risk.LOW, ())


def test_a_denied_purchase_is_declined_and_cannot_be_allowed() -> None:
    result = assess(sold_by("m-1", "NO", (100, 0, 0.0)), LISTS, evidence(score=0.001), BOUNDS)
    assert (outcome_of(result), risk_of(LISTS, result.level[0])) == (
        Outcome.DECLINE, Risk.CRITICAL,
    )  # fmt: skip
    assert result.reasons[0] == (
        Reason("deny_list", 60, "On the deny list: the merchant's country NO."),
    )


def test_lists_models_and_amounts_apply_to_each_purchase_of_a_batch() -> None:
    purchases = [(100, 0, 0.0), (400_000, 9, 0.0), (400_000, 0, 5_000.0), (100, 0, 0.0)]
    sellers, countries = ["m-1", "m-1", "m-2", None], ["DE", "DE", "DE", "NO"]
    scores = np.array([0.0, 0.2, 0.2, np.nan])
    together = assess(
        inputs_of(*purchases)._replace(merchant_id=sellers, merchant_country=countries),
        LISTS,
        Evidence(score=scores),
        BOUNDS,
    )
    risks = [risk_of(LISTS, level) for level in together.level]
    assert risks == [Risk.LOW, Risk.LOW, Risk.CRITICAL, Risk.CRITICAL]
    for row, purchase in enumerate(purchases):
        alone = assess(
            inputs_of(purchase)._replace(
                merchant_id=[sellers[row]], merchant_country=[countries[row]]
            ),
            LISTS,
            Evidence(score=scores[row : row + 1]),
            BOUNDS,
        )
        assert (together.score[row], together.level[row]) == (alone.score[0], alone.level[0])
        assert together.outcome[row] == alone.outcome[0]
        assert together.reasons[row] == alone.reasons[0]


NOVEL = dataclasses.replace(BOUNDS, novel_from_anomaly=0.999)


@pytest.mark.parametrize(
    ("anomaly", "score", "is_novel"),
    [(0.9995, 0.01, True), (0.998, 0.01, False), (0.9995, 0.2, False), (0.9995, np.nan, False)],
)
def test_novelty_is_reviewed_where_the_model_calls_it_harmless(
    anomaly: float,
    score: float,
    is_novel: bool,  # noqa: FBT001  a parameter
) -> None:
    result = assess(inputs_of((100, 0, 0.0)), FOREST, evidence(anomaly, score), NOVEL)
    assert bool(result.is_novel[0]) is is_novel
    if is_novel:
        assert (risk_of(FOREST, result.level[0]), outcome_of(result)) == (
            Risk.MEDIUM, Outcome.REVIEW,
        )  # fmt: skip
        assert [reason.rule for reason in result.reasons[0]] == ["model", "novelty"]


def many(count: int) -> RuleInput:
    inputs = inputs_of(*[(100, 0, 0.0)] * count)
    return inputs._replace(transaction_id=[f"t-{number}" for number in range(count)])


def test_the_control_group_is_a_share_of_what_the_score_alone_declines() -> None:
    policy = dataclasses.replace(FLOORS, control=ControlGroup(0.2, "a salt of the shop"))
    result = assess(many(2_000), policy, Evidence(score=np.full(2_000, 0.95)), BOUNDS)
    assert 320 < result.is_control.sum() < 480
    assert {OUTCOMES[place] for place in result.outcome[result.is_control]} == {Outcome.REVIEW}
    assert {OUTCOMES[place] for place in result.outcome[~result.is_control]} == {Outcome.DECLINE}
    assert (result.level == list(Risk).index(Risk.CRITICAL)).all()
    again = assess(many(2_000), policy, Evidence(score=np.full(2_000, 0.95)), BOUNDS)
    assert np.array_equal(result.is_control, again.is_control)
    salted = dataclasses.replace(policy, control=ControlGroup(0.2, "another salt"))
    other = assess(many(2_000), salted, Evidence(score=np.full(2_000, 0.95)), BOUNDS)
    assert not np.array_equal(result.is_control, other.is_control)


def test_a_floor_that_declines_has_no_control_group() -> None:
    policy = dataclasses.replace(FLOORS, control=ControlGroup(1.0, "a salt of the shop"))
    inputs = inputs_of((100, 6, 0.0))._replace(transaction_id=["t"])
    result = assess(inputs, policy, evidence(score=0.95), BOUNDS)
    assert (outcome_of(result), bool(result.is_control[0])) == (Outcome.DECLINE, False)


def test_a_policy_without_rules_lets_the_model_decide() -> None:
    policy = dataclasses.replace(FOREST, rules=())
    result = assess(inputs_of((100, 9, 0.0)), policy, evidence(score=0.9), BOUNDS)
    assert (result.score[0], result.answers.shape) == (0.9, (1, 0))
    assert outcome_of(result) is Outcome.DECLINE


def test_an_empty_batch() -> None:
    nothing = Evidence(anomaly=np.empty(0), score=np.empty(0))
    assert assess(inputs_of(), LISTS, nothing, BOUNDS).reasons == ()
