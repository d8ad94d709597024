"""Assess purchases: rules answer, models add, the policy decides; each gets a level and reasons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fraudwatch.application.scoring.reasons import Held, reasons_of
from fraudwatch.domain.arrays import Bools
from fraudwatch.domain.messages.verdict import Mode, Reason, Risk
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.combination import AnomalyPart, FraudPart, amount_tiebreak, combined
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.rules.lists import DenyList
from fraudwatch.domain.rules.rule import HIT, UNKNOWN, Answers, RuleInput

_NO_EVIDENCE = Evidence()
# A model has a say if it is there and the policy counts it.
_MODES = {
    frozenset[str](): Mode.RULES_ONLY,
    frozenset({AnomalyPart.name}): Mode.WITH_ANOMALY,
    frozenset({FraudPart.name}): Mode.WITH_MODEL,
    frozenset({AnomalyPart.name, FraudPart.name}): Mode.WITH_ANOMALY_AND_MODEL,
}


class Assessment(NamedTuple):
    """What is held of each purchase, as columns."""

    score: npt.NDArray[np.float64]
    level: npt.NDArray[np.int64]  # place in policy.levels
    answers: Answers  # [purchase, rule]
    reasons: tuple[tuple[Reason, ...], ...]  # most points first, empty where nothing is against it
    mode: Mode


def assess(seen: RuleInput, policy: Policy, evidence: Evidence = _NO_EVIDENCE) -> Assessment:
    """Judge every purchase by one policy; a pure function of its arguments.

    The score is always what rules and models say; what an amount or a list decides shows in the
    level alone, so that it stays visible what was overruled.
    """
    answers = _answers(seen, policy)
    hits = answers == HIT
    points = np.array([rule.points for rule in policy.rules], dtype=np.int64)
    contributions = [(part, part.contribution(evidence)) for part in policy.parts]
    counted = [(part, share) for part, share in contributions if share is not None]
    score = combined(
        hits @ points, *(share for _, share in counted), amount_tiebreak(seen.amount_eur_cents)
    )
    bounds = np.array([level.from_score for level in policy.levels])
    by_score = np.searchsorted(bounds, score, side="right") - 1
    is_suspect = hits.any(axis=1) | (by_score >= policy.lowest(Risk.MEDIUM))
    level, is_lifted = _escalate_high_value(seen, policy, by_score, is_suspect)
    is_allowed = _allowed(seen, policy, hits)
    held = Held(
        hits=hits,
        counted=tuple(counted),
        is_at_least_medium=level >= policy.lowest(Risk.MEDIUM),
        is_lifted=is_lifted,
        is_allowed=is_allowed & is_suspect,
    )
    reasons = reasons_of(seen, policy, evidence, held)
    mode = _MODES[frozenset(part.name for part, _ in counted)]
    return Assessment(score, np.where(is_allowed, 0, level), answers, reasons, mode)


def _answers(seen: RuleInput, policy: Policy) -> Answers:
    answers = np.full((len(seen.amount_eur_cents), len(policy.rules)), UNKNOWN)
    for place, rule in enumerate(policy.rules):
        answers[:, place] = rule.answer(seen)
    return answers


def _escalate_high_value(
    seen: RuleInput, policy: Policy, level: npt.NDArray[np.int64], is_suspect: Bools
) -> tuple[npt.NDArray[np.int64], Bools]:
    """Where much money is at stake, anything against a purchase makes it critical."""
    if policy.critical_from_eur_cents is None:
        return level, np.zeros_like(is_suspect)
    critical = policy.lowest(Risk.CRITICAL)
    is_high_value = seen.amount_eur_cents >= policy.critical_from_eur_cents
    is_lifted = is_high_value & is_suspect & (level < critical)
    return np.where(is_lifted, critical, level), is_lifted


def _allowed(seen: RuleInput, policy: Policy, hits: Bools) -> Bools:
    is_deny = [isinstance(rule, DenyList) for rule in policy.rules]
    is_denied = hits[:, np.array(is_deny, dtype=np.bool_)].any(axis=1)
    is_allowed: Bools = (policy.allow.answer(seen) == HIT) & ~is_denied
    return is_allowed
