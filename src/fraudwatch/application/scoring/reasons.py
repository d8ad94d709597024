"""Build the reasons of verdicts, only for purchases that have one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.arrays import Bools
from fraudwatch.domain.messages.verdict import Reason
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.combination import FULL_SCORE_POINTS, ModelPart
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.rules.lists import ALLOW_LIST
from fraudwatch.domain.rules.rule import RuleInput

HIGH_VALUE: Final = "high_value"


class ScoringResult(NamedTuple):
    """Hits, model contributions and overrides of each purchase, from which reasons are built."""

    hits: Bools  # [purchase, rule]
    counted: tuple[tuple[ModelPart, npt.NDArray[np.float64]], ...]  # parts with their contributions
    is_at_least_medium: Bools
    is_escalated: Bools  # to CRITICAL, by its amount
    is_allowed: Bools  # by the allow list, despite a hit or a score


class ReasonText(NamedTuple):
    """One reason: its purchases, its points for each, and its sentence."""

    name: str
    of: Bools
    points: npt.NDArray[np.int64]
    sentence: Callable[[RuleInput, int], str]


def reasons_of(
    inputs: RuleInput, policy: Policy, evidence: Evidence, result: ScoringResult
) -> tuple[tuple[Reason, ...], ...]:
    """Return the reasons of every purchase, most points first, ties by name.

    A rule is a reason where it hits. A model contributes to every purchase, so it is a reason only
    from MEDIUM on, where it adds at least one point or no rule explains the level.
    """
    found: dict[int, list[Reason]] = defaultdict(list)
    for text in (
        *_by_rules(policy, result),
        *_by_models(evidence, result),
        *_by_policy(policy, result),
    ):
        for i in np.flatnonzero(text.of).tolist():
            found[i].append(Reason(text.name, int(text.points[i]), text.sentence(inputs, i)))
    reasons: list[tuple[Reason, ...]] = [()] * len(result.hits)
    for i, some in found.items():
        reasons[i] = tuple(sorted(some, key=lambda reason: (-reason.points, reason.rule)))
    return tuple(reasons)


def _by_rules(policy: Policy, result: ScoringResult) -> Iterator[ReasonText]:
    for place, rule in enumerate(policy.rules):
        points = np.broadcast_to(np.int64(rule.points), len(result.hits))
        yield ReasonText(rule.name, result.hits[:, place], points, rule.sentence)


def _by_models(evidence: Evidence, result: ScoringResult) -> Iterator[ReasonText]:
    is_unexplained = ~result.hits.any(axis=1)
    for part, contribution in result.counted:
        points = np.rint(contribution * FULL_SCORE_POINTS).astype(np.int64)
        contributes = (points > 0) | (is_unexplained & (contribution > 0))
        yield ReasonText(
            part.name,
            result.is_at_least_medium & contributes,
            points,
            lambda _, i, part=part: part.sentence(evidence, i),  # type: ignore[misc]
        )


def _by_policy(policy: Policy, result: ScoringResult) -> Iterator[ReasonText]:
    """Overrides of the score by amount or list, with no points of their own."""
    none = np.broadcast_to(np.int64(0), len(result.hits))
    bound = (policy.critical_from_eur_cents or 0) / 100
    yield ReasonText(
        HIGH_VALUE,
        result.is_escalated,
        none,
        lambda inputs, i: (
            f"Amount {inputs.amount_eur_cents[i] / 100:,.2f} EUR with other evidence against it; "
            f"high-value limit {bound:,.2f} EUR."
        ),
    )
    yield ReasonText(
        ALLOW_LIST,
        result.is_allowed,
        none,
        lambda inputs, i: (
            f"On the allow list: {policy.allow.describe(inputs, i)}; approved over all other "
            "reasons."
        ),
    )
