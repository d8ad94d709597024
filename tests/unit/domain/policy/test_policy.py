from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.domain.messages.verdict import Outcome, Risk
from fraudwatch.domain.policy.combination import AnomalyPart, FraudPart
from fraudwatch.domain.policy.document import policy_from
from fraudwatch.domain.policy.policy import BrokenPolicy, Level
from fraudwatch.domain.rules.catalogue import RULES
from fraudwatch.domain.rules.lists import DenyList
from fraudwatch.samples import a_token

SOUND: dict[str, Any] = {
    "version": "test",
    "rules": {"high_amount": {"points": 50, "at_least_eur_cents": 100_000}},
    "lists": {
        "deny": {"points": 100, "card_token": [a_token("c")], "merchant_country": ["NO"]},
        "allow": {"merchant_id": ["m-1", "m-2"]},
    },
    "models": {"anomaly": {"weight": 0.4, "from_quantile": 0.99}, "fraud": {"weight": 1}},
    "risk": {
        "LOW": {"from_score": 0, "outcome": "approve"},
        "MEDIUM": {"from_score": 0.3, "outcome": "review", "route": "first_line"},
        "HIGH": {"from_score": 0.5, "outcome": "review"},
        "CRITICAL": {"from_score": 0.8, "outcome": "decline", "route": "senior"},
    },
    "auto_approve_below_score": 0.1,
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
    assert policy.levels[3].outcome is Outcome.DECLINE
    assert [level.route for level in policy.levels] == [None, "first_line", None, "senior"]
    assert policy.rules[0].points == 50
    assert policy.parts == (AnomalyPart(0.4, 0.99), FraudPart(1.0))
    assert policy.critical_from_eur_cents == 300_000


def test_lists_are_part_of_the_policy_and_the_deny_list_is_a_rule() -> None:
    policy = policy_from(SOUND)
    deny = policy.rules[-1]
    assert isinstance(deny, DenyList)
    assert deny.points == 100
    assert deny.listed.card_token == {a_token("c")}
    assert deny.listed.merchant_country == {"NO"}
    assert policy.allow.merchant_id == {"m-1", "m-2"}


def test_optional_parts_are_off_by_default() -> None:
    # A policy from before lists and models must score as it did.
    optional = ("lists", "models", "auto_approve_below_score", "critical_from_eur_cents")
    policy = policy_from(changed(*((name, None) for name in optional)))
    assert len(policy.rules) == 1
    assert (policy.parts, bool(policy.allow), policy.critical_from_eur_cents) == ((), False, None)


@pytest.mark.parametrize(
    ("low_outcome", "below", "expected"),
    [
        ("approve", 0.1, [(0.0, "approve")]),
        ("review", 0.1, [(0.0, "approve"), (0.1, "review")]),
        ("review", 0.3, [(0.0, "approve")]),
        ("review", 0, [(0.0, "review")]),
    ],
)
def test_low_is_auto_approved_below_a_score(
    low_outcome: str, below: float, expected: list[tuple[float, str]]
) -> None:
    policy = policy_from(
        changed(
            ("risk.LOW.outcome", low_outcome),
            ("auto_approve_below_score", below),
            ("lists.allow", None),
        )
    )
    low = [level for level in policy.levels if level.risk is Risk.LOW]
    assert [(level.from_score, str(level.outcome)) for level in low] == expected


def test_a_route_belongs_to_a_level() -> None:
    low = {"from_score": 0, "outcome": "review", "route": "trainees"}
    assert policy_from(changed(("risk.LOW", low))).levels[:2] == (
        Level(Risk.LOW, 0.0, Outcome.APPROVE, None),
        Level(Risk.LOW, 0.1, Outcome.REVIEW, "trainees"),
    )


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
        ("risk.LOW.from_score", 0.1, "from_score must be 0"),
        ("risk.HIGH.from_score", 0.2, "must be above that of MEDIUM"),
        ("risk.HIGH.from_score", 1.5, "a number from 0 to 1"),
        ("risk.CRITICAL.outcome", "approve", "must not be milder than HIGH's"),
        ("risk.CRITICAL.outcome", "perhaps", "must be one of approve, review, decline"),
        ("risk.CRITICAL.outcome", ["decline"], "must be one of approve, review, decline"),
        ("risk.HIGH.route", "First line", "risk HIGH: route must be the name of a queue"),
        ("risk.HIGH.route", 3, "risk HIGH: route must be the name of a queue"),
        ("auto_approve_below_score", 0.4, "must be at most 0.3, where MEDIUM begins"),
        ("auto_approve_below_score", "0.1", "a number from 0 to 1"),
        ("critical_from_eur_cents", 1.5, "critical_from_eur_cents must be a whole number"),
        ("models", [], "models must be a mapping"),
        ("models.forest", {}, "models has unknown keys forest; known are anomaly, fraud"),
        ("models.fraud", {}, "models.fraud lacks weight"),
        ("models.fraud.weight", 1.1, "models.fraud: weight must be a number from 0 to 1"),
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


def test_an_allow_list_needs_a_level_that_approves() -> None:
    assert policy_from(changed(("risk.LOW.outcome", "review"))).allow  # below 0.1 it approves
    document = changed(("risk.LOW.outcome", "review"), ("auto_approve_below_score", None))
    with pytest.raises(BrokenPolicy, match="the lowest level does not approve"):
        policy_from(document)


def test_a_card_number_on_a_list_is_refused_and_not_repeated() -> None:
    with pytest.raises(BrokenPolicy, match="card_token, entry 1 can never match") as broken:
        policy_from(changed(("lists.deny.card_token", ["4111111111111111"])))
    assert "4111" not in str(broken.value)


def test_the_default_policy_uses_every_rule() -> None:
    policy = load_policy(Path(__file__).parents[4] / "contracts/policies/default.yaml")
    assert {rule.name for rule in policy.rules} == {*RULES, "deny_list"}
    assert {part.name for part in policy.parts} == {"anomaly", "model"}
