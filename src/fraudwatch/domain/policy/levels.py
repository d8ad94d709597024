"""Build the risk levels of a policy from its document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from fraudwatch.domain.messages.verdict import Risk
from fraudwatch.domain.policy.combination import FULL_SCORE_POINTS
from fraudwatch.domain.policy.policy import RISKS, BrokenPolicy, Level
from fraudwatch.domain.policy.values import expect_keys, mapping, whole

_QUEUE = re.compile(r"[a-z][a-z0-9_]*")


def levels_from(given: Mapping[str, Any]) -> tuple[Level, ...]:
    """Build every risk's level, least severe first; LOW is whatever reaches no other.

    Raises:
        BrokenPolicy: a risk is missing, points are out of order, or a value is invalid.
    """
    expect_keys(given, {str(risk) for risk in RISKS[1:]}, "risk")
    levels = (Level(Risk.LOW, 0), *(_level(risk, given[risk]) for risk in RISKS[1:]))
    for lower, higher in pairwise(levels):
        if higher.from_points <= lower.from_points:
            raise BrokenPolicy(f"risk {higher.risk}: from_points must be above {lower.from_points}")
    return levels


def _level(risk: Risk, given: object) -> Level:
    settings = mapping(given, f"risk {risk}")
    if "outcome" in settings or "from_score" in settings:
        raise BrokenPolicy(
            f"risk {risk}: from_score and outcome are gone; write from_points (from_score times "
            "100), and let review, decline and the floors of rules make the outcome"
        )
    expect_keys(settings, {"from_points"}, f"risk {risk}", {"route"})
    points = whole(settings["from_points"], f"risk {risk}: from_points")
    if points > FULL_SCORE_POINTS:
        raise BrokenPolicy(f"risk {risk}: from_points must be at most {FULL_SCORE_POINTS}")
    route = settings.get("route")
    if route is not None and not (isinstance(route, str) and _QUEUE.fullmatch(route)):
        raise BrokenPolicy(
            f"risk {risk}: route must be the name of a queue in small letters, digits and "
            "underscores, for example first_line"
        )
    return Level(risk, points, route)
