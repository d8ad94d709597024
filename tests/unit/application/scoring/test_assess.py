from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.application.scoring.assess import assess
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES, VECTOR_INDEX
from fraudwatch.domain.messages.verdict import Outcome, Reason, Risk
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.combination import AnomalyPart, FraudPart, amount_tiebreak, combined
from fraudwatch.domain.policy.policy import Level, Policy
from fraudwatch.domain.rules.high_amount import HighAmount
from fraudwatch.domain.rules.impossible_travel import ImpossibleTravel
from fraudwatch.domain.rules.lists import DenyList, ListEntries
from fraudwatch.domain.rules.rapid_purchases import RapidPurchases
from fraudwatch.domain.rules.rule import RuleInput

POLICY = Policy(
    "test",
    (
        HighAmount(points=50, at_least_eur_cents=100_000),
        RapidPurchases(points=30, more_than=6),
        ImpossibleTravel(points=80, faster_than_kmh=1_000, farther_than_km=300),
    ),
    (
        Level(Risk.LOW, 0.0, Outcome.APPROVE),
        Level(Risk.MEDIUM, 0.3, Outcome.REVIEW),
        Level(Risk.HIGH, 0.5, Outcome.REVIEW),
        Level(Risk.CRITICAL, 0.8, Outcome.DECLINE),
    ),
)


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


MODELS = dataclasses.replace(POLICY, parts=(AnomalyPart(0.4, 0.99), FraudPart(0.9)))
SHARES = st.floats(0, 1)


def evidence(anomaly: float | None = None, fraud: float | None = None) -> Evidence:
    return Evidence(
        None if anomaly is None else np.array([anomaly]),
        None if fraud is None else np.array([fraud]),
    )


def test_without_model_outputs_the_score_is_the_points() -> None:
    # Every number of points, bit for bit: 1 - (1 - 0.3) would be 0.30000000000000004.
    points = np.arange(0, 131)
    by_points = np.minimum(points, 100) / 100
    assert np.array_equal(combined(points), by_points)
    nothing = np.zeros(len(points))
    assert np.array_equal(combined(points, nothing, nothing), by_points)
    assert assess(inputs_of((100, 6, 0.0)), MODELS).score[0] == scored(0.3, 100)


def test_a_model_without_weight_in_the_policy_does_not_count() -> None:
    result = assess(inputs_of((100, 6, 0.0)), POLICY, evidence(1.0, 1.0))
    assert (result.score[0], len(result.reasons[0])) == (scored(0.3, 100), 1)


@pytest.mark.parametrize(
    ("outputs", "score"),
    [
        (evidence(anomaly=0.99), 0.3),
        (evidence(anomaly=0.995), 0.44),  # 1 - 0.7 * 0.8
        (evidence(anomaly=1.0), 0.58),  # 1 - 0.7 * 0.6
        (evidence(fraud=0.5), 0.615),  # 1 - 0.7 * 0.55
        (evidence(1.0, 0.5), 0.769),  # 1 - 0.7 * 0.6 * 0.55
        (evidence(np.nan, np.nan), 0.3),  # an unknown model output counts nothing
    ],
)
def test_parts_combine_by_their_complements(outputs: Evidence, score: float) -> None:
    assert assess(inputs_of((100, 6, 0.0)), MODELS, outputs).score[0] == scored(score, 100)


@given(st.integers(0, 99), st.integers(0, 10**13), st.integers(0, 10**13))
def test_amount_breaks_ties_and_a_point_more_always_wins(
    points: int, amount: int, other: int
) -> None:
    def score(points: int, amount: int) -> float:
        return float(combined(np.array([points]), amount_tiebreak(np.array([amount])))[0])

    cheap, dear = min(amount, other), max(amount, other)
    assert points / 100 <= score(points, cheap) <= score(points, dear) < (points + 1) / 100
    assert score(points, 5_000) < score(points, 20_000)


@given(st.integers(0, 300), st.integers(0, 300), SHARES, SHARES, SHARES, SHARES)
def test_the_score_is_bounded_and_never_falls_when_a_part_rises(
    points: int, more_points: int, anomaly: float, more_anomaly: float, fraud: float, more: float
) -> None:
    def score(points: int, anomaly: float, fraud: float) -> float:
        outputs = evidence(anomaly, fraud)
        shares = [part.contribution(outputs) for part in MODELS.parts]
        return float(combined(np.array([points]), *(s for s in shares if s is not None))[0])

    low = score(min(points, more_points), min(anomaly, more_anomaly), min(fraud, more))
    high = score(max(points, more_points), max(anomaly, more_anomaly), max(fraud, more))
    assert 0 <= low <= high <= 1
    assert low >= min(points, more_points, 100) / 100


@given(SHARES, SHARES)
def test_from_medium_on_there_is_a_reason(anomaly: float, fraud: float) -> None:
    result = assess(inputs_of((100, 0, 0.0)), MODELS, evidence(anomaly, fraud))
    assert bool(result.reasons[0]) == (risk_of(MODELS, result.level[0]) is not Risk.LOW)


def test_a_model_alone_explains_itself() -> None:
    unusual = assess(inputs_of((100, 0, 0.0)), MODELS, evidence(anomaly=0.99786))
    assert unusual.reasons[0] == (
        Reason("anomaly", 31, "More unusual than 99.7% of the training purchases; threshold 99%."),
    )
    likely = assess(inputs_of((100, 0, 0.0)), MODELS, evidence(0.5, 0.83))
    assert likely.reasons[0] == (
        Reason("model", 75, "Fraud probability 0.83 from the classifier."),
    )


@pytest.mark.parametrize(
    ("outputs", "text"),
    [
        (evidence(anomaly=0.99999), "More unusual than 99.9% of"),
        (evidence(anomaly=1.0), "More unusual than 100.0% of"),
        (evidence(fraud=0.999), "Fraud probability 0.99 from"),
        (evidence(fraud=0.29), "Fraud probability 0.29 from"),  # 0.29 * 100 is below 29
    ],
)
def test_a_probability_is_rounded_down(outputs: Evidence, text: str) -> None:
    result = assess(inputs_of((100_000, 0, 0.0)), MODELS, outputs)
    assert text in " ".join(reason.text for reason in result.reasons[0])


def test_below_medium_a_model_is_no_reason_and_beside_rules_only_with_a_point() -> None:
    quiet = assess(inputs_of((100, 0, 0.0)), MODELS, evidence(0.995, 0.1))
    assert (quiet.score[0], quiet.reasons[0]) == (scored(0.272, 100), ())  # 1 - 0.8 * 0.91
    beside = assess(inputs_of((100, 6, 0.0)), MODELS, evidence(0.99001, 0.5))
    assert [reason.rule for reason in beside.reasons[0]] == ["model", "rapid_purchases"]


def test_a_model_below_one_point_is_a_reason_if_nothing_else_is() -> None:
    touchy = dataclasses.replace(
        MODELS,
        levels=(
            Level(Risk.LOW, 0.0, Outcome.APPROVE),
            Level(Risk.MEDIUM, 0.002, Outcome.REVIEW),
        ),
    )
    result = assess(inputs_of((100, 0, 0.0)), touchy, evidence(fraud=0.004))
    assert [(reason.rule, reason.points) for reason in result.reasons[0]] == [("model", 0)]


WITH_HIGH_VALUE = dataclasses.replace(
    MODELS, rules=(RapidPurchases(points=10, more_than=6),), critical_from_eur_cents=300_000
)


@pytest.mark.parametrize(
    ("purchase", "outputs", "risk", "rules"),
    [
        ((300_000, 6, 0.0), Evidence(), Risk.CRITICAL, ["rapid_purchases", "high_value"]),
        ((300_000, 0, 0.0), evidence(fraud=0.4), Risk.CRITICAL, ["model", "high_value"]),
        ((300_000, 0, 0.0), evidence(fraud=0.2), Risk.LOW, []),
        ((300_000, 0, 0.0), Evidence(), Risk.LOW, []),  # no hit
        ((299_999, 6, 0.0), Evidence(), Risk.LOW, ["rapid_purchases"]),
        ((300_000, 0, 0.0), evidence(fraud=1.0), Risk.CRITICAL, ["model"]),  # is CRITICAL anyway
    ],
)
def test_high_value_escalates_any_hit_to_critical(
    purchase: tuple[int, int, float], outputs: Evidence, risk: Risk, rules: list[str]
) -> None:
    result = assess(inputs_of(purchase), WITH_HIGH_VALUE, outputs)
    assert risk_of(WITH_HIGH_VALUE, result.level[0]) is risk
    assert [reason.rule for reason in result.reasons[0]] == rules


def test_high_value_is_a_reason_and_leaves_the_score() -> None:
    result = assess(inputs_of((543_210, 6, 0.0)), WITH_HIGH_VALUE)
    assert result.score[0] == scored(0.1, 543_210)
    assert result.reasons[0][-1] == Reason(
        "high_value",
        0,
        "Amount 5,432.10 EUR with other evidence against it; high-value limit 3,000.00 EUR.",
    )


LISTS = dataclasses.replace(
    WITH_HIGH_VALUE,
    rules=(*WITH_HIGH_VALUE.rules, DenyList(60, ListEntries(merchant_country=frozenset({"NO"})))),
    allow=ListEntries(merchant_id=frozenset({"m-1"})),
)


def sold_by(merchant_id: str, country: str, purchase: tuple[int, int, float]) -> RuleInput:
    return inputs_of(purchase)._replace(merchant_id=[merchant_id], merchant_country=[country])


def test_an_allowed_purchase_is_approved_and_keeps_its_reasons() -> None:
    result = assess(sold_by("m-1", "DE", (400_000, 9, 0.0)), LISTS, evidence(0.0, 1.0))
    assert LISTS.levels[result.level[0]].outcome is Outcome.APPROVE
    assert result.score[0] == scored(0.91, 400_000)
    assert [reason.rule for reason in result.reasons[0]] == [
        "model",
        "rapid_purchases",
        "allow_list",
    ]
    assert result.reasons[0][-1] == Reason(
        "allow_list", 0, "On the allow list: the merchant m-1; approved over all other reasons."
    )


def test_an_amount_does_not_overrule_the_allow_list() -> None:
    result = assess(sold_by("m-1", "DE", (400_000, 9, 0.0)), LISTS)
    assert risk_of(LISTS, result.level[0]) is Risk.LOW
    assert [reason.rule for reason in result.reasons[0]] == [
        "rapid_purchases",
        "allow_list",
        "high_value",
    ]


def test_without_a_hit_the_allow_list_is_no_reason() -> None:
    result = assess(sold_by("m-1", "DE", (100, 0, 0.0)), LISTS)
    assert (risk_of(LISTS, result.level[0]), result.reasons[0]) == (Risk.LOW, ())


def test_a_denied_purchase_cannot_be_allowed() -> None:
    result = assess(sold_by("m-1", "NO", (100, 0, 0.0)), LISTS)
    assert (result.score[0], risk_of(LISTS, result.level[0])) == (scored(0.6, 100), Risk.HIGH)
    assert result.reasons[0] == (
        Reason("deny_list", 60, "On the deny list: the merchant's country NO."),
    )


def test_lists_models_and_amounts_apply_to_each_purchase_of_a_batch() -> None:
    purchases = [(100, 0, 0.0), (400_000, 9, 0.0), (400_000, 9, 0.0), (100, 0, 0.0)]
    sellers, countries = ["m-1", "m-1", "m-2", None], ["DE", "DE", "DE", "NO"]
    fraud = np.array([0.0, 0.2, 0.2, 0.9])
    together = assess(
        inputs_of(*purchases)._replace(merchant_id=sellers, merchant_country=countries),
        LISTS,
        Evidence(fraud=fraud),
    )
    risks = [risk_of(LISTS, level) for level in together.level]
    assert risks == [Risk.LOW, Risk.LOW, Risk.CRITICAL, Risk.CRITICAL]
    for row, purchase in enumerate(purchases):
        alone = assess(
            inputs_of(purchase)._replace(
                merchant_id=[sellers[row]], merchant_country=[countries[row]]
            ),
            LISTS,
            Evidence(fraud=fraud[row : row + 1]),
        )
        assert (together.score[row], together.level[row]) == (alone.score[0], alone.level[0])
        assert together.reasons[row] == alone.reasons[0]


def test_a_policy_without_rules_lets_models_decide() -> None:
    result = assess(
        inputs_of((100, 9, 0.0)), dataclasses.replace(MODELS, rules=()), evidence(fraud=1.0)
    )
    assert (result.score[0], result.answers.shape) == (scored(0.9, 100), (1, 0))


def test_an_empty_batch() -> None:
    assert assess(inputs_of(), LISTS, Evidence(np.empty(0), np.empty(0))).reasons == ()
