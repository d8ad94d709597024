"""Build the risk levels of a policy from its document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from fraudwatch.domain.messages.verdict import Outcome, Risk
from fraudwatch.domain.policy.policy import BrokenPolicy, Level
from fraudwatch.domain.policy.values import expect_keys, mapping, share

_QUEUE = re.compile(r"[a-z][a-z0-9_]*")


def levels_from(given: Mapping[str, Any], auto_approve_below_score: object) -> tuple[Level, ...]:
    """Build every risk's level, least severe first; LOW is two where its lower part auto-approves.

    Raises:
        BrokenPolicy: a risk is missing, scores or outcomes are out of order, or a value is invalid.
    """
    expect_keys(given, {str(risk) for risk in Risk}, "risk")
    levels = [_level(risk, given[risk]) for risk in Risk]
    if levels[0].from_score != 0:
        raise BrokenPolicy(
            f"risk {levels[0].risk}: from_score must be 0, every purchase has a level"
        )
    for lower, higher in pairwise(levels):
        _expect_order(lower, higher)
    if auto_approve_below_score is None:
        return tuple(levels)
    below = share(auto_approve_below_score, "auto_approve_below_score")
    return (*_low_in_two(levels[0], below, levels[1]), *levels[1:])


def _low_in_two(low: Level, below: float, medium: Level) -> tuple[Level, ...]:
    if below > medium.from_score:
        raise BrokenPolicy(
            f"auto_approve_below_score must be at most {medium.from_score:g}, where "
            f"{medium.risk} begins; to approve more, let {medium.risk} begin later"
        )
    if below == 0 or low.outcome is Outcome.APPROVE:
        return (low,)
    approved = Level(low.risk, 0.0, Outcome.APPROVE)
    if below == medium.from_score:
        return (approved,)
    return (approved, replace(low, from_score=below))


def _expect_order(lower: Level, higher: Level) -> None:
    strictness = list(Outcome)
    if higher.from_score <= lower.from_score:
        raise BrokenPolicy(f"risk {higher.risk}: from_score must be above that of {lower.risk}")
    if strictness.index(higher.outcome) < strictness.index(lower.outcome):
        raise BrokenPolicy(f"risk {higher.risk}: outcome must not be milder than {lower.risk}'s")


def _level(risk: Risk, given: object) -> Level:
    settings = mapping(given, f"risk {risk}")
    expect_keys(settings, {"from_score", "outcome"}, f"risk {risk}", {"route"})
    score = share(settings["from_score"], f"risk {risk}: from_score")
    outcome, route = settings["outcome"], settings.get("route")
    if not isinstance(outcome, str) or outcome not in set(Outcome):
        raise BrokenPolicy(f"risk {risk}: outcome must be one of {', '.join(Outcome)}")
    if route is not None and not (isinstance(route, str) and _QUEUE.fullmatch(route)):
        raise BrokenPolicy(
            f"risk {risk}: route must be the name of a queue in small letters, digits and "
            "underscores, for example first_line"
        )
    return Level(risk, score, Outcome(outcome), route)
