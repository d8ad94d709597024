"""Build a policy from a parsed document, strictly: no guesses, no unknown keys ignored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, get_type_hints

from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.policy.combination import FULL_SCORE_POINTS, AnomalyPart
from fraudwatch.domain.policy.levels import levels_from
from fraudwatch.domain.policy.limits import (
    control_from,
    decline_from,
    fixed_score,
    novelty_from,
    review_from,
)
from fraudwatch.domain.policy.lists import allow_list_from, deny_list_from
from fraudwatch.domain.policy.policy import BrokenPolicy, ControlGroup, FixedScore, Policy
from fraudwatch.domain.policy.values import expect_keys, mapping, share, whole
from fraudwatch.domain.rules.catalogue import RULES
from fraudwatch.domain.rules.lists import DenyList
from fraudwatch.domain.rules.rule import Rule

_NEEDED: Final = {"version", "rules", "risk", "review"}
_OPTIONAL: Final = {
    "lists", "models", "score_by", "challenge", "decline", "novelty", "control",
    "critical_from_eur_cents", "deny_points",
}  # fmt: skip
_SCORED_BY: Final = ("model", "points")
_FLOORS: Final = (Outcome.REVIEW, Outcome.CHALLENGE, Outcome.DECLINE)


def policy_from(document: Mapping[str, Any]) -> Policy:
    """Build a policy from a parsed document.

    A missing optional part is off: no lists, no decline by score, no amount that is critical.

    Raises:
        BrokenPolicy: unknown or missing keys, rules or levels, a number out of range, levels or
            bounds out of order, or a list entry that can never match.
    """
    _expect_today(document)
    expect_keys(document, _NEEDED, "the policy", _OPTIONAL)
    version = document["version"]
    if not isinstance(version, str) or not version:
        raise BrokenPolicy("version must be a non-empty text, for example '2026-11-21'")
    # Policies of before lists were a file of their own: verdicts of that time are scored again.
    lists = mapping(document.get("lists", {}), "lists")
    expect_keys(lists, set(), "lists", {"deny", "allow"})
    given_rules = mapping(document["rules"], "rules")
    rules = [_rule(name, given) for name, given in given_rules.items()]
    floors = dict(_floors(given_rules))
    if "deny" in lists:
        rules.append(deny_list_from(lists["deny"]))
        floors[DenyList.name] = Outcome.DECLINE
    policy = Policy(
        version=version,
        rules=tuple(rules),
        floors=floors,
        levels=levels_from(mapping(document["risk"], "risk")),
        anomaly=_anomaly(mapping(document.get("models", {}), "models")),
        scores_by_points=_is_by_points(document.get("score_by", _SCORED_BY[0])),
        review=review_from(document["review"]),
        challenge=_optional(document, "challenge", lambda one: fixed_score(one, "challenge")),
        decline=_optional(document, "decline", decline_from),
        novelty_alerts_a_day=_optional(document, "novelty", novelty_from) or 0,
        control=_optional(document, "control", control_from) or ControlGroup(),
        allow=allow_list_from(lists.get("allow", {})),
        deny_points=_deny_points(document),
        critical_from_eur_cents=_optional(
            document, "critical_from_eur_cents", lambda one: whole(one, "critical_from_eur_cents")
        ),
    )
    _expect_order(policy)
    return policy


def _optional(document: Mapping[str, Any], name: str, parse: Any) -> Any:
    return None if document.get(name) is None else parse(document[name])


def _deny_points(document: Mapping[str, Any]) -> int:
    points = whole(document.get("deny_points", FULL_SCORE_POINTS), "deny_points")
    if points > FULL_SCORE_POINTS:
        raise BrokenPolicy(f"deny_points must be at most {FULL_SCORE_POINTS}")
    return points


def _expect_today(document: Mapping[str, Any]) -> None:
    if "auto_approve_below_score" in document:
        raise BrokenPolicy(
            "auto_approve_below_score is gone; remove it: every purchase below review is approved"
        )


def _expect_order(policy: Policy) -> None:
    bounds = [
        (name, bound.from_score)
        for name, bound in (
            ("review", policy.review), ("challenge", policy.challenge), ("decline", policy.decline)
        )
        if isinstance(bound, FixedScore)
    ]  # fmt: skip
    if bounds != sorted(bounds, key=lambda one: one[1]):
        raise BrokenPolicy("from_score of review, challenge and decline must rise in this order")


def _rule(name: str, given: object) -> Rule:
    if name not in RULES:
        raise BrokenPolicy(f"there is no rule '{name}'; there are {', '.join(sorted(RULES))}")
    kind: Any = RULES[name]
    parameters = mapping(given, f"rule {name}")
    parameters.pop("floor", None)
    hints = get_type_hints(kind)
    expect_keys(parameters, {item.name for item in fields(kind)}, f"rule {name}")
    for key, value in parameters.items():
        allowed = (int, float) if hints[key] is float else (int,)
        # `not >=` instead of `<`: YAML knows .nan, which is neither.
        if isinstance(value, bool) or not isinstance(value, allowed) or not value >= 0:
            raise BrokenPolicy(f"rule {name}: {key} must be a {hints[key].__name__}, 0 at least")
    if parameters["points"] > FULL_SCORE_POINTS:
        raise BrokenPolicy(f"rule {name}: points must be at most {FULL_SCORE_POINTS}")
    rule: Rule = kind(**parameters)
    return rule


def _floors(rules: Mapping[str, Any]) -> Mapping[str, Outcome]:
    floors = {name: given["floor"] for name, given in rules.items() if "floor" in given}
    for name, floor in floors.items():
        if floor not in _FLOORS:
            raise BrokenPolicy(f"rule {name}: floor must be one of {', '.join(_FLOORS)}")
    return {name: Outcome(floor) for name, floor in floors.items()}


def _is_by_points(given: object) -> bool:
    if given not in _SCORED_BY:
        raise BrokenPolicy(f"score_by must be one of {', '.join(_SCORED_BY)}")
    return given == "points"


def _anomaly(models: Mapping[str, Any]) -> AnomalyPart | None:
    if "fraud" in models:
        raise BrokenPolicy(
            "models.fraud is gone; remove it: a promoted model's probability is the score, and "
            "score_by: points leaves it out"
        )
    expect_keys(models, set(), "models", {"anomaly"})
    if "anomaly" not in models:
        return None
    given = mapping(models["anomaly"], "models.anomaly")
    expect_keys(given, {"weight", "from_quantile"}, "models.anomaly")
    from_quantile = share(given["from_quantile"], "models.anomaly: from_quantile")
    if from_quantile == 1:
        raise BrokenPolicy("models.anomaly: from_quantile must be below 1, or nothing ever counts")
    return AnomalyPart(share(given["weight"], "models.anomaly: weight"), from_quantile)
