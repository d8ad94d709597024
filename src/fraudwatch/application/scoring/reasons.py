"""Build the reasons of verdicts, only for purchases that have one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fraudwatch.application.scoring.outcomes import LOW, Decided, Scored
from fraudwatch.domain.arrays import Bools, Int64s
from fraudwatch.domain.messages.verdict import Reason
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.combination import FULL_SCORE_POINTS, cut
from fraudwatch.domain.policy.policy import OUTCOMES, Policy
from fraudwatch.domain.rules.lists import ALLOW_LIST
from fraudwatch.domain.rules.rule import RuleInput

MODEL: Final = "model"
HIGH_VALUE: Final = "high_value"
NOVELTY: Final = "novelty"
CONTROL_GROUP: Final = "control_group"
APPLIED_DEFAULT: Final = "applied_default"
_A_HUNDRED, _A_THOUSAND = 100, 1_000


class ReasonText(NamedTuple):
    """One reason: its purchases, its points for each, and its sentence."""

    name: str
    of: Bools
    points: npt.NDArray[np.int64]
    sentence: Callable[[RuleInput, int], str]


def reasons_of(
    inputs: RuleInput, policy: Policy, evidence: Evidence, scored: Scored, decided: Decided
) -> tuple[tuple[Reason, ...], ...]:
    """Return the reasons of every purchase, most points first, ties by name.

    A rule is a reason where it hits. A model gives every purchase a score, so it is a reason only
    from MEDIUM on, where it adds at least one point or no rule explains the level.
    """
    found: dict[int, list[Reason]] = defaultdict(list)
    for text in (
        *_by_rules(policy, scored),
        *_by_models(policy, evidence, scored, decided),
        *_by_policy(inputs, policy, evidence, scored, decided),
    ):
        for i in np.flatnonzero(text.of).tolist():
            found[i].append(Reason(text.name, int(text.points[i]), text.sentence(inputs, i)))
    reasons: list[tuple[Reason, ...]] = [()] * len(scored.score)
    for i, some in found.items():
        reasons[i] = tuple(sorted(some, key=lambda reason: (-reason.points, reason.rule)))
    return tuple(reasons)


def probability_sentence(probability: float) -> str:
    """Say a calibrated probability in purchases: "of 100 such purchases about 91 were fraud"."""
    is_round = 1 / _A_HUNDRED <= probability < 1 - 1 / _A_HUNDRED
    of = _A_HUNDRED if is_round else _A_THOUSAND
    return (
        f"Fraud probability {cut(probability, 2 if is_round else 3)}: of {of:,} such purchases "
        f"about {cut(of * probability, 0):.0f} were fraud."
    )


def _by_rules(policy: Policy, scored: Scored) -> Iterator[ReasonText]:
    for place, rule in enumerate(policy.rules):
        points = np.broadcast_to(np.int64(rule.points), len(scored.hits))
        yield ReasonText(rule.name, scored.hits[:, place], points, rule.sentence)


def _by_models(
    policy: Policy, evidence: Evidence, scored: Scored, decided: Decided
) -> Iterator[ReasonText]:
    is_flagged, is_unexplained = decided.level > LOW, ~scored.hits.any(axis=1)
    if scored.is_modelled.any():
        points = np.rint(scored.score * FULL_SCORE_POINTS).astype(np.int64)
        yield ReasonText(
            MODEL,
            is_flagged & scored.is_modelled & ((points > 0) | is_unexplained),
            points,
            lambda _, i: probability_sentence(float(scored.score[i])),
        )
    part = policy.anomaly
    contribution = None if part is None else part.contribution(evidence)
    if part is not None and contribution is not None:
        points = np.rint(contribution * FULL_SCORE_POINTS).astype(np.int64)
        contributes = (points > 0) | (is_unexplained & (contribution > 0))
        yield ReasonText(
            part.name,
            is_flagged & ~scored.is_modelled & contributes,
            points,
            lambda _, i: part.sentence(evidence, i),
        )


def _by_policy(
    inputs: RuleInput, policy: Policy, evidence: Evidence, scored: Scored, decided: Decided
) -> Iterator[ReasonText]:
    """Overrules of the score, and a default that was more lenient; they have no points."""
    none = np.broadcast_to(np.int64(0), len(scored.score))
    bound = (policy.critical_from_eur_cents or 0) / 100
    yield ReasonText(
        HIGH_VALUE,
        decided.is_high_value,
        none,
        lambda inputs, i: (
            f"Amount {inputs.amount_eur_cents[i] / 100:,.2f} EUR with other evidence against it; "
            f"high-value limit {bound:,.2f} EUR."
        ),
    )
    yield ReasonText(
        ALLOW_LIST,
        decided.is_allowed,
        none,
        lambda inputs, i: (
            f"On the allow list: {policy.allow.describe(inputs, i)}; approved over all other "
            "reasons."
        ),
    )
    unusual = scored.score if evidence.anomaly is None else evidence.anomaly
    yield ReasonText(
        NOVELTY,
        decided.is_novel,
        none,
        lambda _, i: (
            f"More unusual than {cut(100 * float(unusual[i]), 2):.2f}% of the training purchases, "
            "although the model knows no fraud like it."
        ),
    )
    yield ReasonText(
        CONTROL_GROUP,
        decided.is_control,
        none,
        lambda *_: (
            f"Control group: {policy.control.share:.1%} of the purchases that the score would "
            "decline are reviewed, to learn how many of them are fraud."
        ),
    )
    if inputs.applied_default:
        yield ReasonText(
            APPLIED_DEFAULT,
            decided.outcome > _places(inputs.applied_default),
            none,
            lambda inputs, i: (
                "No verdict came in time, so the source applied its default: "
                f"{inputs.applied_default[i]}. This verdict is stricter."
            ),
        )


def _places(defaults: Sequence[str | None]) -> Int64s:
    """Return each default's place in OUTCOMES; above all of them where there is none."""
    places = {str(outcome): place for place, outcome in enumerate(OUTCOMES)}
    return np.array([places.get(one or "", len(OUTCOMES)) for one in defaults], dtype=np.int64)
