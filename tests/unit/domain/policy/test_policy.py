from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.domain.messages.verdict import Outcome, Risk
from fraudwatch.domain.policy.combination import AnomalyPart
from fraudwatch.domain.policy.document import policy_from
from fraudwatch.domain.policy.policy import (
    AlertBudget,
    BrokenPolicy,
    DeclineLimits,
    FixedScore,
)
from fraudwatch.domain.rules.catalogue import RULES
from fraudwatch.domain.rules.lists import DenyList
from fraudwatch.samples import a_token

SOUND: dict[str, Any] = {
    "version": "test",
    "rules": {"high_amount": {"points": 50, "at_least_eur_cents": 100_000}},
    "review": {"alerts_a_day": 40},
    "decline": {"precision_at_least": 0.9, "honest_declined_at_most": 0.0001},
    "lists": {
        "deny": {"points": 100, "card_token": [a_token("c")], "merchant_country": ["NO"]},
        "allow": {"merchant_id": ["m-1", "m-2"]},
    },
    "models": {"anomaly": {"weight": 0.4, "from_quantile": 0.99}},
    "risk": {
        "MEDIUM": {"from_points": 30, "route": "first_line"},
        "HIGH": {"from_points": 50},
        "CRITICAL": {"from_points": 80, "route": "senior"},
    },
    "critical_from_eur_cents": 300_000,
}


def changed(*changes: tuple[str, object]) -> dict[str, Any]:
    document = copy.deepcopy(SOUND)
    for path, value in changes:
        *way, last = path.split(".")
        place = document
        for step in way:
            place = place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return document


def test_a_sound_policy() -> None:
    policy = policy_from(SOUND)
    assert [level.risk for level in policy.levels] == list(Risk)
    assert [level.from_points for level in policy.levels] == [0, 30, 50, 80]
    assert [level.route for level in policy.levels] == [None, "first_line", None, "senior"]
    assert policy.rules[0].points == 50
    assert policy.anomaly == AnomalyPart(0.4, 0.99)
    assert (policy.review, policy.decline) == (AlertBudget(40, 0.1), DeclineLimits(0.9, 0.0001))
    assert policy.floors == {"deny_list": Outcome.DECLINE}
    assert policy.critical_from_eur_cents == 300_000


def test_a_recorded_policy_may_embed_its_lists_and_the_deny_list_is_a_rule() -> None:
    policy = policy_from(SOUND)
    deny = policy.rules[-1]
    assert isinstance(deny, DenyList)
    assert deny.points == 100
    assert set(deny.listed.card_token) == {a_token("c")}
    assert set(deny.listed.merchant_country) == {"NO"}
    assert set(policy.allow.merchant_id) == {"m-1", "m-2"}


def test_optional_parts_are_off_by_default() -> None:
    optional = ("lists", "models", "decline", "critical_from_eur_cents")
    policy = policy_from(changed(*((name, None) for name in optional)))
    assert len(policy.rules) == 1
    assert (policy.anomaly, bool(policy.allow), policy.critical_from_eur_cents) == (
        None, False, None,
    )  # fmt: skip
    assert (policy.decline, policy.challenge, policy.novelty_alerts_a_day) == (None, None, 0)
    assert policy.control.share == 0


def test_limits_of_every_kind() -> None:
    policy = policy_from(
        changed(
            ("review", {"alerts_a_day": 30, "share_at_most": 0.05}),
            ("challenge", {"from_score": 0.4}),
            ("decline", {"from_score": 0.95}),
            ("novelty", {"alerts_a_day": 3}),
            ("control", {"share": 0.01, "salt": "eight letters"}),
            ("score_by", "points"),
            ("rules.high_amount.floor", "review"),
        )
    )
    assert policy.review == AlertBudget(30, 0.05)
    assert (policy.challenge, policy.decline) == (FixedScore(0.4), FixedScore(0.95))
    assert (policy.novelty_alerts_a_day, policy.control.share) == (3, 0.01)
    assert policy.scores_by_points
    assert policy.floors["high_amount"] is Outcome.REVIEW


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("version", None, "the policy lacks version"),
        ("version", 7, "version must be a non-empty text"),
        ("extra", 1, "unknown keys extra"),
        ("rules.no_such_rule", {}, "there is no rule 'no_such_rule'"),
        ("rules.deny_list", {}, "there is no rule 'deny_list'"),
        ("rules.high_amount", {"points": 50}, "lacks at_least_eur_cents"),
        ("rules.high_amount", 50, "rule high_amount must be a mapping"),
        ("rules.high_amount.points", 101, "points must be at most 100"),
        ("rules.high_amount.points", 1.5, "points must be a int, 0 at least"),
        ("rules.high_amount.at_least_eur_cents", -1, "0 at least"),
        ("rules.high_amount.at_least_eur_cents", True, "0 at least"),
        (
            "rules.impossible_travel",
            {"points": 80, "faster_than_kmh": float("nan"), "farther_than_km": 300},
            "faster_than_kmh must be a float, 0 at least",
        ),
        ("risk.HIGH", None, "risk lacks HIGH"),
        ("risk.LOW", {"from_points": 1}, "risk has unknown keys LOW"),
        ("risk.HIGH.from_points", 20, "risk HIGH: from_points must be above 30"),
        ("risk.HIGH.from_points", 0.5, "from_points must be a whole number"),
        ("risk.CRITICAL.from_points", 101, "from_points must be at most 100"),
        ("risk.CRITICAL.outcome", "decline", "from_score and outcome are gone"),
        ("rules.high_amount.floor", "approve", "floor must be one of review, challenge, decline"),
        ("rules.high_amount.floor", True, "floor must be one of review, challenge, decline"),
        ("review", None, "the policy lacks review"),
        ("review.alerts_a_day", -1, "review: alerts_a_day must be a number, 0 at least"),
        ("review.alerts_a_day", float("nan"), "review: alerts_a_day must be a number"),
        ("review.share_at_most", 2, "review: share_at_most must be a number from 0 to 1"),
        ("review.from_score", 0.2, "review has unknown keys alerts_a_day"),
        ("review", {"from_score": 1.5}, "review: from_score must be a number from 0 to 1"),
        ("decline.precision_at_least", None, "decline lacks precision_at_least"),
        ("decline", [], "decline must be a mapping"),
        ("novelty", {"alerts_a_day": True}, "novelty: alerts_a_day must be a number"),
        ("control", {"share": 0.1}, "control: salt must be a text of at least 8 characters"),
        ("score_by", "luck", "score_by must be one of model, points"),
        ("risk.HIGH.route", "First line", "risk HIGH: route must be the name of a queue"),
        ("risk.HIGH.route", 3, "risk HIGH: route must be the name of a queue"),
        ("auto_approve_below_score", 0.1, "auto_approve_below_score is gone; remove it"),
        ("critical_from_eur_cents", 1.5, "critical_from_eur_cents must be a whole number"),
        ("models", [], "models must be a mapping"),
        ("models.forest", {}, "models has unknown keys forest; known are anomaly"),
        ("models.fraud", {"weight": 0.9}, "models.fraud is gone; remove it"),
        ("models.anomaly.from_quantile", None, "models.anomaly lacks from_quantile"),
        ("models.anomaly.from_quantile", 1, "from_quantile must be below 1"),
        ("lists.grey", {}, "lists has unknown keys grey; known are allow, deny"),
        ("lists.deny.points", None, "lists.deny lacks points"),
        ("lists.deny.points", 200, "lists.deny: points must be at most 100"),
        ("lists.allow.points", 5, "lists.allow has unknown keys points"),
        ("lists.deny.merchant_id", "m-1", "lists.deny: merchant_id must be a list of texts"),
        # What YAML makes of the code of Norway without quotes.
        ("lists.deny.merchant_country", ["DE", False], "merchant_country, entry 2 must be a text"),
        ("lists.deny.merchant_country", ["Norway"], "merchant_country, entry 1 can never match"),
        ("lists.deny.merchant_id", [""], "merchant_id, entry 1 can never match, it is empty"),
        ("lists.deny.merchant_id", ["m" * 129], "is longer than 128 characters"),
    ],
)
def test_errors_name_the_place_and_the_reason(path: str, value: object, text: str) -> None:
    with pytest.raises(BrokenPolicy) as broken:
        policy_from(changed((path, value)))
    assert text in str(broken.value)


def test_fixed_bounds_must_rise() -> None:
    document = changed(("review", {"from_score": 0.9}), ("decline", {"from_score": 0.8}))
    with pytest.raises(BrokenPolicy, match="must rise in this order"):
        policy_from(document)


def test_a_card_number_on_a_list_is_refused_and_not_repeated() -> None:
    with pytest.raises(BrokenPolicy, match="card_token, entry 1 can never match") as broken:
        policy_from(changed(("lists.deny.card_token", ["4111111111111111"])))
    assert "4111" not in str(broken.value)


def test_the_default_policy_uses_every_rule() -> None:
    policy = load_policy(Path(__file__).parents[4] / "contracts/policies/default.yaml")
    assert {rule.name for rule in policy.rules} == {*RULES}
    assert policy.anomaly is not None
    assert {name for name, floor in policy.floors.items() if floor is Outcome.DECLINE} == {
        "card_testing"
    }
