"""A policy: which rules count how much, and from which score on a purchase is what.

The score in rules-only mode is the sum of the points hit over a hundred, at most one: it orders
purchases by how much speaks against them, and is no probability.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, get_type_hints

from fraudwatch.domain.rules.catalogue import RULES
from fraudwatch.domain.rules.rule import Rule
from fraudwatch.domain.verdict import Outcome, Risk

FULL_SCORE_POINTS = 100


class BrokenPolicy(ValueError):
    """A policy document that may not be used; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Level:
    """One risk level: the lowest score that reaches it and what is done then."""

    risk: Risk
    from_score: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Policy:
    """A version, its rules, and its levels from harmless to grave."""

    version: str
    rules: tuple[Rule, ...]
    levels: tuple[Level, ...]


def policy_from(document: Mapping[str, Any]) -> Policy:
    """Build a policy out of a parsed document.

    Raises:
        BrokenPolicy: unknown or missing keys, rules or levels, a number out of range, levels out of
            order, or an outcome more lenient than that of a lower level.
    """
    _expect_keys(document, {"version", "rules", "risk"}, "the policy")
    version = document["version"]
    if not isinstance(version, str) or not version:
        raise BrokenPolicy("version must be a non-empty text, for example '2026-11-21'")
    rules = tuple(_rule(name, given) for name, given in _mapping(document["rules"], "rules"))
    return Policy(version, rules, _levels(dict(_mapping(document["risk"], "risk"))))


def _mapping(value: object, where: str) -> list[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        raise BrokenPolicy(f"{where} must be a mapping of names to settings")
    return list(value.items())


def _expect_keys(given: Mapping[str, Any], expected: set[str], where: str) -> None:
    if missing := expected - set(given):
        raise BrokenPolicy(f"{where} lacks {', '.join(sorted(missing))}")
    if unknown := set(given) - expected:
        raise BrokenPolicy(
            f"{where} has unknown keys {', '.join(sorted(map(str, unknown)))}; "
            f"known are {', '.join(sorted(expected))}"
        )


def _rule(name: str, given: object) -> Rule:
    if name not in RULES:
        raise BrokenPolicy(f"there is no rule '{name}'; there are {', '.join(sorted(RULES))}")
    kind: Any = RULES[name]
    parameters = dict(_mapping(given, f"rule {name}"))
    hints = get_type_hints(kind)
    _expect_keys(parameters, {item.name for item in fields(kind)}, f"rule {name}")
    for key, value in parameters.items():
        allowed = (int, float) if hints[key] is float else (int,)
        if isinstance(value, bool) or not isinstance(value, allowed) or value < 0:
            raise BrokenPolicy(f"rule {name}: {key} must be a {hints[key].__name__} from 0 on")
    if parameters["points"] > FULL_SCORE_POINTS:
        raise BrokenPolicy(f"rule {name}: points must be at most {FULL_SCORE_POINTS}")
    rule: Rule = kind(**parameters)
    return rule


def _levels(given: dict[str, Any]) -> tuple[Level, ...]:
    _expect_keys(given, {str(risk) for risk in Risk}, "risk")
    levels = [_level(risk, given[risk]) for risk in Risk]
    if levels[0].from_score != 0:
        raise BrokenPolicy(
            f"risk {levels[0].risk}: from_score must be 0, every purchase has a level"
        )
    strictness = list(Outcome)
    for lower, higher in pairwise(levels):
        if higher.from_score <= lower.from_score:
            raise BrokenPolicy(f"risk {higher.risk}: from_score must be above that of {lower.risk}")
        if strictness.index(higher.outcome) < strictness.index(lower.outcome):
            raise BrokenPolicy(
                f"risk {higher.risk}: outcome must not be milder than {lower.risk}'s"
            )
    return tuple(levels)


def _level(risk: Risk, given: object) -> Level:
    settings = dict(_mapping(given, f"risk {risk}"))
    _expect_keys(settings, {"from_score", "outcome"}, f"risk {risk}")
    score, outcome = settings["from_score"], settings["outcome"]
    if isinstance(score, bool) or not isinstance(score, (int, float)) or not 0 <= score <= 1:
        raise BrokenPolicy(f"risk {risk}: from_score must be a number from 0 to 1")
    if outcome not in set(Outcome):
        raise BrokenPolicy(f"risk {risk}: outcome must be one of {', '.join(Outcome)}")
    return Level(risk, float(score), Outcome(outcome))
