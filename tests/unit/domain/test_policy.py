from __future__ import annotations

import copy
from typing import Any

import pytest

from fraudwatch.domain.policy import BrokenPolicy, policy_from
from fraudwatch.domain.verdict import Outcome, Risk

SOUND: dict[str, Any] = {
    "version": "test",
    "rules": {"high_amount": {"points": 50, "at_least_eur_cents": 100_000}},
    "risk": {
        "LOW": {"from_score": 0, "outcome": "approve"},
        "MEDIUM": {"from_score": 0.3, "outcome": "review"},
        "HIGH": {"from_score": 0.5, "outcome": "review"},
        "CRITICAL": {"from_score": 0.8, "outcome": "decline"},
    },
}


def changed(path: str, value: object) -> dict[str, Any]:
    document = copy.deepcopy(SOUND)
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
    assert policy.rules[0].points == 50


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("version", None, "the policy lacks version"),
        ("version", 7, "version must be a non-empty text"),
        ("extra", 1, "unknown keys extra"),
        ("rules.no_such_rule", {}, "there is no rule 'no_such_rule'"),
        ("rules.high_amount", {"points": 50}, "lacks at_least_eur_cents"),
        ("rules.high_amount.points", 101, "points must be at most 100"),
        ("rules.high_amount.points", 1.5, "points must be a int from 0 on"),
        ("rules.high_amount.at_least_eur_cents", -1, "from 0 on"),
        ("rules.high_amount.at_least_eur_cents", True, "from 0 on"),
        ("risk.HIGH", None, "risk lacks HIGH"),
        ("risk.LOW.from_score", 0.1, "from_score must be 0"),
        ("risk.HIGH.from_score", 0.2, "must be above that of MEDIUM"),
        ("risk.HIGH.from_score", 1.5, "a number from 0 to 1"),
        ("risk.CRITICAL.outcome", "approve", "must not be milder than HIGH's"),
        ("risk.CRITICAL.outcome", "perhaps", "must be one of approve, review, decline"),
    ],
)
def test_a_broken_policy_says_where_and_why(path: str, value: object, said: str) -> None:
    with pytest.raises(BrokenPolicy, match=said.replace("(", r"\(")):
        policy_from(changed(path, value))
