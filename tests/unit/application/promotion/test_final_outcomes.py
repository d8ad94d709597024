from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.application.promotion.final_outcomes import (
    PolicyInputs,
    budget_a_day,
    outcomes_with_model,
    outcomes_without_model,
)
from fraudwatch.domain.policy.bounds import Bounds
from fraudwatch.domain.policy.list_document import PolicyLists, with_lists
from fraudwatch.domain.policy.policy import AlertBudget, ControlGroup, FixedScore
from fraudwatch.stack.home import ROOT

POLICY = with_lists(load_policy(ROOT / "contracts/policies/default.yaml"), PolicyLists())
BOUNDS = Bounds(review_from=0.2, decline_from=0.9, novel_from_anomaly=0.99)


def purchases(*rule_sets: str | None, anomaly: float = np.nan) -> PolicyInputs:
    count = len(rule_sets)
    return PolicyInputs(
        transaction_id=np.array([f"t:{number}" for number in range(count)], dtype=np.object_),
        amount_eur_cents=np.full(count, 1_000),
        rule_sets=np.array(rule_sets, dtype=np.object_),
        anomaly=np.full(count, anomaly),
    )


def test_score_and_floors_make_the_outcome() -> None:
    given = purchases("", "rapid_purchases", "", "bulk_buying", None, "card_testing")
    score = np.array([0.1, 0.1, 0.2, 0.1, 0.95, 0.1])
    found = outcomes_with_model(POLICY, BOUNDS, given, score)
    assert found.score is score
    assert found.is_alert.tolist() == [False, False, True, True, True, True]
    # Card testing declines by its floor, whatever the score.
    assert found.is_score_decline.tolist() == [False, False, False, False, True, False]


def test_novelty_is_an_alert_and_the_control_group_counts_as_declined() -> None:
    unusual = purchases("", "", anomaly=0.995)
    found = outcomes_with_model(POLICY, BOUNDS, unusual, np.array([0.01, 0.95]))
    assert found.is_alert.tolist() == [True, True]
    control = replace(POLICY, control=ControlGroup(1.0, "a salt of some length"))
    found = outcomes_with_model(control, BOUNDS, unusual, np.array([0.01, 0.95]))
    assert found.is_score_decline.tolist() == [False, True]
    assert found.is_alert.tolist() == [True, True]


def test_without_a_model_points_and_anomaly_make_score_and_outcome() -> None:
    given = purchases("", "rapid_purchases", "deny_list", "failed_payments,unusual_hours")
    found = outcomes_without_model(POLICY, given)
    assert found.score == pytest.approx([0.0008, 0.5, 1.0, 0.4], abs=0.001)
    assert found.is_alert.tolist() == [False, True, True, True]
    assert not found.is_score_decline.any()
    assert outcomes_without_model(POLICY, purchases("", anomaly=1.0)).is_alert.tolist() == [True]


def test_a_budget_is_limited_by_the_share_of_a_small_shops_purchases() -> None:
    floored = purchases(*["bulk_buying"] * 5, *[""] * 195)
    policy = replace(POLICY, review=AlertBudget(60, 0.1), novelty_alerts_a_day=2)
    assert budget_a_day(policy, floored, days=2) == 10 + 2
    assert budget_a_day(policy, purchases(*["bulk_buying"] * 40), days=2) == 20 + 2
    assert budget_a_day(policy, purchases(*["rapid_purchases"] * 40), days=2) == 2 + 2
    assert budget_a_day(replace(policy, review=AlertBudget(3, 0.1)), floored, days=2) == 3
    assert budget_a_day(replace(policy, review=FixedScore(0.5)), floored, days=2) is None
