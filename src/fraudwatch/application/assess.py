"""Assess purchases: rules answer, the policy adds up, each gets a level and its reasons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.policy import FULL_SCORE_POINTS, Policy
from fraudwatch.domain.rules.rule import HIT, Answers, Seen
from fraudwatch.domain.verdict import Reason


class Assessment(NamedTuple):
    """What is held of each purchase, as columns."""

    score: npt.NDArray[np.float64]
    level: npt.NDArray[np.int64]  # place in policy.levels
    answers: Answers  # [purchase, rule]
    reasons: tuple[tuple[Reason, ...], ...]  # most points first, empty where no rule hit


def assess(seen: Seen, policy: Policy) -> Assessment:
    """Judge every purchase by one policy; a pure function of its arguments."""
    answers = np.stack([rule.answer(seen) for rule in policy.rules], axis=1)
    points = np.array([rule.points for rule in policy.rules], dtype=np.int64)
    total = (answers == HIT) @ points
    score = np.minimum(total, FULL_SCORE_POINTS) / FULL_SCORE_POINTS
    bounds = np.array([level.from_score for level in policy.levels])
    level = np.searchsorted(bounds, score, side="right") - 1
    return Assessment(score, level, answers, _reasons(seen, policy, answers))


def _reasons(seen: Seen, policy: Policy, answers: Answers) -> tuple[tuple[Reason, ...], ...]:
    reasons: list[tuple[Reason, ...]] = [()] * len(answers)
    strongest_first = sorted(enumerate(policy.rules), key=lambda r: (-r[1].points, r[1].name))
    for i in np.flatnonzero((answers == HIT).any(axis=1)).tolist():
        reasons[i] = tuple(
            Reason(rule.name, rule.points, rule.sentence(seen, i))
            for place, rule in strongest_first
            if answers[i, place] == HIT
        )
    return tuple(reasons)
