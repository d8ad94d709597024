"""Parse what a policy limits: reviews, declines, extra alerts on novelty, the control group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fraudwatch.domain.policy.policy import (
    AlertBudget,
    BrokenPolicy,
    ControlGroup,
    DeclineLimits,
    FixedScore,
)
from fraudwatch.domain.policy.values import expect_keys, mapping, number, share

_SHORTEST_SALT: Final = 8


def review_from(given: object) -> AlertBudget | FixedScore:
    """Parse ``review``: a daily budget of alerts, or a fixed score.

    Raises:
        BrokenPolicy: see :func:`fraudwatch.domain.policy.document.policy_from`.
    """
    settings = mapping(given, "review")
    if "from_score" in settings:
        return fixed_score(settings, "review")
    expect_keys(settings, {"alerts_a_day"}, "review", {"share_at_most", "from_score"})
    alerts_a_day = number(settings["alerts_a_day"], "review: alerts_a_day")
    if "share_at_most" not in settings:
        return AlertBudget(alerts_a_day)
    return AlertBudget(alerts_a_day, share(settings["share_at_most"], "review: share_at_most"))


def decline_from(given: object) -> DeclineLimits | FixedScore:
    """Parse ``decline``: limits that past days must keep, or a fixed score.

    Raises:
        BrokenPolicy: see :func:`fraudwatch.domain.policy.document.policy_from`.
    """
    settings = mapping(given, "decline")
    if "from_score" in settings:
        return fixed_score(settings, "decline")
    names = ("precision_at_least", "honest_declined_at_most")
    expect_keys(settings, set(names), "decline", {"from_score"})
    return DeclineLimits(*(share(settings[name], f"decline: {name}") for name in names))


def fixed_score(given: object, where: str) -> FixedScore:
    """Parse a bound that is a fixed probability of fraud.

    Raises:
        BrokenPolicy: see :func:`fraudwatch.domain.policy.document.policy_from`.
    """
    settings = mapping(given, where)
    expect_keys(settings, {"from_score"}, where)
    return FixedScore(share(settings["from_score"], f"{where}: from_score"))


def novelty_from(given: object) -> float:
    """Parse ``novelty``: how many alerts a day it may add.

    Raises:
        BrokenPolicy: see :func:`fraudwatch.domain.policy.document.policy_from`.
    """
    settings = mapping(given, "novelty")
    expect_keys(settings, {"alerts_a_day"}, "novelty")
    return number(settings["alerts_a_day"], "novelty: alerts_a_day")


def control_from(given: object) -> ControlGroup:
    """Parse ``control``: share and salt of the control group.

    Raises:
        BrokenPolicy: see :func:`fraudwatch.domain.policy.document.policy_from`.
    """
    settings: Mapping[str, Any] = mapping(given, "control")
    expect_keys(settings, {"share"}, "control", {"salt"})
    size, salt = share(settings["share"], "control: share"), settings.get("salt", "")
    if not isinstance(salt, str) or (size > 0 and len(salt) < _SHORTEST_SALT):
        raise BrokenPolicy(
            f"control: salt must be a text of at least {_SHORTEST_SALT} characters, so that no "
            "one can compute who is in the control group"
        )
    return ControlGroup(size, salt)
