"""Build a policy from a parsed document, strictly: no guesses, no unknown keys ignored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.policy.combination import (
    FULL_SCORE_POINTS,
    AnomalyPart,
    FraudPart,
    ModelPart,
)
from fraudwatch.domain.policy.levels import levels_from
from fraudwatch.domain.policy.lists import allow_list_from, deny_list_from
from fraudwatch.domain.policy.policy import BrokenPolicy, Policy
from fraudwatch.domain.policy.values import expect_keys, mapping, share, whole
from fraudwatch.domain.rules.catalogue import RULES
from fraudwatch.domain.rules.rule import Rule

_NEEDED = {"version", "rules", "risk"}
_OPTIONAL = {"lists", "models", "auto_approve_below_score", "critical_from_eur_cents"}


def policy_from(document: Mapping[str, Any]) -> Policy:
    """Build a policy from a parsed document.

    A missing optional part is off: no lists, no models, no amount that is critical.

    Raises:
        BrokenPolicy: unknown or missing keys, rules or levels, a number out of range, levels out of
            order, an outcome more lenient than that of a lower level, or a list entry that can
            never match.
    """
    expect_keys(document, _NEEDED, "the policy", _OPTIONAL)
    version = document["version"]
    if not isinstance(version, str) or not version:
        raise BrokenPolicy("version must be a non-empty text, for example '2026-11-21'")
    lists = mapping(document.get("lists", {}), "lists")
    expect_keys(lists, set(), "lists", {"deny", "allow"})
    rules = [_rule(name, given) for name, given in mapping(document["rules"], "rules").items()]
    if "deny" in lists:
        rules.append(deny_list_from(lists["deny"]))
    levels = levels_from(
        mapping(document["risk"], "risk"), document.get("auto_approve_below_score")
    )
    allow = allow_list_from(lists.get("allow", {}))
    if allow and levels[0].outcome is not Outcome.APPROVE:
        raise BrokenPolicy(
            "lists.allow has entries, but the lowest level does not approve; let LOW approve, "
            "or set auto_approve_below_score"
        )
    critical_from = document.get("critical_from_eur_cents")
    return Policy(
        version=version,
        rules=tuple(rules),
        levels=levels,
        parts=_parts(document.get("models", {})),
        allow=allow,
        critical_from_eur_cents=None
        if critical_from is None
        else whole(critical_from, "critical_from_eur_cents"),
    )


def _rule(name: str, given: object) -> Rule:
    if name not in RULES:
        raise BrokenPolicy(f"there is no rule '{name}'; there are {', '.join(sorted(RULES))}")
    kind: Any = RULES[name]
    parameters = mapping(given, f"rule {name}")
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


def _parts(given: object) -> tuple[ModelPart, ...]:
    models = mapping(given, "models")
    expect_keys(models, set(), "models", {"anomaly", "fraud"})
    parts: list[ModelPart] = []
    if "anomaly" in models:
        parts.append(_anomaly(mapping(models["anomaly"], "models.anomaly")))
    if "fraud" in models:
        fraud = mapping(models["fraud"], "models.fraud")
        expect_keys(fraud, {"weight"}, "models.fraud")
        parts.append(FraudPart(share(fraud["weight"], "models.fraud: weight")))
    return tuple(parts)


def _anomaly(given: Mapping[str, Any]) -> AnomalyPart:
    expect_keys(given, {"weight", "from_quantile"}, "models.anomaly")
    from_quantile = share(given["from_quantile"], "models.anomaly: from_quantile")
    if from_quantile == 1:
        raise BrokenPolicy("models.anomaly: from_quantile must be below 1, or nothing ever counts")
    return AnomalyPart(share(given["weight"], "models.anomaly: weight"), from_quantile)
