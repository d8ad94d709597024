"""Why purchases are what they are: reasons, built only where there is one."""

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


class Held(NamedTuple):
    """What was found of each purchase before anything is said about it."""

    hits: Bools  # [purchase, rule]
    counted: tuple[tuple[ModelPart, npt.NDArray[np.float64]], ...]  # parts with their contributions
    is_at_least_medium: Bools
    is_lifted: Bools  # to critical, by its amount
    is_allowed: Bools  # by the list, though something is against it


class _Said(NamedTuple):
    """One reason: of which purchases, with how many points, in which words."""

    name: str
    of: Bools
    points: npt.NDArray[np.int64]
    text: Callable[[RuleInput, int], str]


def reasons_of(
    seen: RuleInput, policy: Policy, evidence: Evidence, held: Held
) -> tuple[tuple[Reason, ...], ...]:
    """The reasons of every purchase, most points first; equals by name.

    A rule is a reason where it is hit. A model is one only from MEDIUM on, where its part is worth
    a point or nothing else explains the level: it has an opinion of every purchase, and most say
    nothing.
    """
    found: dict[int, list[Reason]] = defaultdict(list)
    for said in (
        *_by_rules(policy, held),
        *_by_models(evidence, held),
        *_by_policy(policy, held),
    ):
        for i in np.flatnonzero(said.of).tolist():
            found[i].append(Reason(said.name, int(said.points[i]), said.text(seen, i)))
    reasons: list[tuple[Reason, ...]] = [()] * len(held.hits)
    for i, some in found.items():
        reasons[i] = tuple(sorted(some, key=lambda reason: (-reason.points, reason.rule)))
    return tuple(reasons)


def _by_rules(policy: Policy, held: Held) -> Iterator[_Said]:
    for place, rule in enumerate(policy.rules):
        points = np.broadcast_to(np.int64(rule.points), len(held.hits))
        yield _Said(rule.name, held.hits[:, place], points, rule.sentence)


def _by_models(evidence: Evidence, held: Held) -> Iterator[_Said]:
    is_unexplained = ~held.hits.any(axis=1)
    for part, contribution in held.counted:
        points = np.rint(contribution * FULL_SCORE_POINTS).astype(np.int64)
        tells = (points > 0) | (is_unexplained & (contribution > 0))
        yield _Said(
            part.name,
            held.is_at_least_medium & tells,
            points,
            lambda _, i, part=part: part.sentence(evidence, i),  # type: ignore[misc]
        )


def _by_policy(policy: Policy, held: Held) -> Iterator[_Said]:
    """What overrules the score, with no points of its own."""
    none = np.broadcast_to(np.int64(0), len(held.hits))
    bound = (policy.critical_from_eur_cents or 0) / 100
    yield _Said(
        HIGH_VALUE,
        held.is_lifted,
        none,
        lambda seen, i: (
            f"Amount {seen.amount_eur_cents[i] / 100:,.2f} EUR with other evidence against it; "
            f"high-value limit {bound:,.2f} EUR."
        ),
    )
    yield _Said(
        ALLOW_LIST,
        held.is_allowed,
        none,
        lambda seen, i: (
            f"On the allow list: {policy.allow.describe(seen, i)}; approved over all other reasons."
        ),
    )
