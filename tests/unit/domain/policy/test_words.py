from __future__ import annotations

import dataclasses

from fraudwatch.adapters.artefacts.policy_file import parse_rules
from fraudwatch.domain.policy.policy import ControlGroup, DeclineLimits, FixedScore
from fraudwatch.domain.policy.words import RULE_SENTENCES, limits_in_words, rules_in_words
from fraudwatch.domain.rules.catalogue import RULES
from tests.policies import DEFAULT

POLICY = parse_rules(DEFAULT)


def test_every_rule_has_a_sentence_with_all_its_numbers() -> None:
    assert set(RULE_SENTENCES) == {*RULES, "deny_list"}
    for name, rule in RULES.items():
        parameters = {item.name for item in dataclasses.fields(rule)} - {"points"}  # type: ignore[arg-type]
        assert {one for one in parameters if f"{{{one}}}" in RULE_SENTENCES[name][1]} == parameters


def test_rules_are_described_in_words() -> None:
    words = dict(rules_in_words(POLICY))
    assert words["High amount"] == (
        "The amount is 1,000.00 EUR or more. Without a model it counts 50 points."
    )
    assert words["Bulk buying"] == (
        "The purchase has 40 items or more. It is always reviewed at least. Without a model it "
        "counts 50 points."
    )
    assert "Fewer than 0.5% of the customer's purchases" in words["Unusual hour"]
    assert "It is always declined." in words["Deny list"]


def test_limits_are_described_in_words() -> None:
    words = dict(limits_in_words(POLICY))
    assert words["Review"] == (
        "As many of the highest scores as make 60 alerts a day in all, and at most 10.0% of all "
        "purchases."
    )
    assert "at most 0.0050% of honest purchases" in words["Decline by score"]
    assert words["High value"] == "From 3,000.00 EUR on, an alert is CRITICAL."
    assert "CRITICAL from 80 points" in words["Levels without a model"]
    assert words["Control group"].startswith("Off")
    assert "Challenge" not in words


def test_fixed_scores_are_described_as_such() -> None:
    fixed = dataclasses.replace(
        POLICY,
        review=FixedScore(0.2),
        challenge=FixedScore(0.4),
        decline=FixedScore(0.9),
        control=ControlGroup(0.05, "12345678"),
        scores_by_points=True,
    )
    words = dict(limits_in_words(fixed))
    assert words["Review"] == "Purchases are reviewed from a score of 0.2 on."
    assert words["Challenge"] == "From a score of 0.4 on."
    assert words["Decline by score"] == "Purchases are declined from a score of 0.9 on."
    assert words["Control group"].startswith("5.0% of the declines")
    assert "Score" in words
    none = dict(limits_in_words(dataclasses.replace(POLICY, decline=None)))
    assert none["Decline by score"] == "No purchase is declined by its score."
    assert isinstance(POLICY.decline, DeclineLimits)
