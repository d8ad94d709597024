"""Score purchases with rules, models and policy; each gets a score, a risk level and reasons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fraudwatch.application.scoring.reasons import ScoringResult, reasons_of
from fraudwatch.domain.arrays import Bools
from fraudwatch.domain.messages.verdict import Mode, Reason, Risk
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.combination import AnomalyPart, FraudPart, amount_tiebreak, combined
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.rules.lists import DenyList
from fraudwatch.domain.rules.rule import HIT, UNKNOWN, Answers, RuleInput

_NO_EVIDENCE = Evidence()
# A model counts if it is present and the policy gives it a weight.
_MODES = {
    frozenset[str](): Mode.RULES_ONLY,
    frozenset({AnomalyPart.name}): Mode.WITH_ANOMALY,
    frozenset({FraudPart.name}): Mode.WITH_MODEL,
    frozenset({AnomalyPart.name, FraudPart.name}): Mode.WITH_ANOMALY_AND_MODEL,
}


class Assessment(NamedTuple):
    """Scores, levels and reasons of purchases, as columns."""

    score: npt.NDArray[np.float64]
    level: npt.NDArray[np.int64]  # place in policy.levels
    answers: Answers  # [purchase, rule]
    reasons: tuple[tuple[Reason, ...], ...]  # most points first, empty without a hit
    mode: Mode


def assess(inputs: RuleInput, policy: Policy, evidence: Evidence = _NO_EVIDENCE) -> Assessment:
    """Score every purchase by one policy; a pure function of its arguments.

    The score comes from rules and models alone; high values and lists change only the level, so
    that the overruled score stays visible.
    """
    answers = _answers(inputs, policy)
    hits = answers == HIT
    points = np.array([rule.points for rule in policy.rules], dtype=np.int64)
    contributions = [(part, part.contribution(evidence)) for part in policy.parts]
    counted = [(part, share) for part, share in contributions if share is not None]
    score = combined(
        hits @ points, *(share for _, share in counted), amount_tiebreak(inputs.amount_eur_cents)
    )
    bounds = np.array([level.from_score for level in policy.levels])
    by_score = np.searchsorted(bounds, score, side="right") - 1
    is_suspect = hits.any(axis=1) | (by_score >= policy.lowest(Risk.MEDIUM))
    level, is_escalated = _escalate_high_value(inputs, policy, by_score, is_suspect)
    is_allowed = _allowed(inputs, policy, hits)
    result = ScoringResult(
        hits=hits,
        counted=tuple(counted),
        is_at_least_medium=level >= policy.lowest(Risk.MEDIUM),
        is_escalated=is_escalated,
        is_allowed=is_allowed & is_suspect,
    )
    reasons = reasons_of(inputs, policy, evidence, result)
    mode = _MODES[frozenset(part.name for part, _ in counted)]
    return Assessment(score, np.where(is_allowed, 0, level), answers, reasons, mode)


def _answers(inputs: RuleInput, policy: Policy) -> Answers:
    answers = np.full((len(inputs.amount_eur_cents), len(policy.rules)), UNKNOWN)
    for place, rule in enumerate(policy.rules):
        answers[:, place] = rule.answer(inputs)
    return answers


def _escalate_high_value(
    inputs: RuleInput, policy: Policy, level: npt.NDArray[np.int64], is_suspect: Bools
) -> tuple[npt.NDArray[np.int64], Bools]:
    """Raise purchases of high value that have a hit or at least a MEDIUM score to CRITICAL."""
    if policy.critical_from_eur_cents is None:
        return level, np.zeros_like(is_suspect)
    critical = policy.lowest(Risk.CRITICAL)
    is_high_value = inputs.amount_eur_cents >= policy.critical_from_eur_cents
    is_escalated = is_high_value & is_suspect & (level < critical)
    return np.where(is_escalated, critical, level), is_escalated


def _allowed(inputs: RuleInput, policy: Policy, hits: Bools) -> Bools:
    is_deny = [isinstance(rule, DenyList) for rule in policy.rules]
    is_denied = hits[:, np.array(is_deny, dtype=np.bool_)].any(axis=1)
    is_allowed: Bools = (policy.allow.answer(inputs) == HIT) & ~is_denied
    return is_allowed
