"""Score purchases with rules, models and policy; each gets a score, level, outcome and reasons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fraudwatch.application.scoring.outcomes import Decided, Scored, decide
from fraudwatch.application.scoring.reasons import reasons_of
from fraudwatch.domain.arrays import Bools, Float64s, Int64s
from fraudwatch.domain.messages.verdict import Mode, Reason
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.bounds import NO_BOUNDS, Bounds
from fraudwatch.domain.policy.combination import amount_tiebreak, combined
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.rules.rule import HIT, UNKNOWN, Answers, RuleInput

_NO_EVIDENCE = Evidence()


class Assessment(NamedTuple):
    """Scores, levels, outcomes and reasons of purchases, as columns."""

    score: npt.NDArray[np.float64]
    level: Int64s  # place in RISKS
    outcome: Int64s  # place in OUTCOMES
    is_control: Bools
    is_novel: Bools
    answers: Answers  # [purchase, rule]
    reasons: tuple[tuple[Reason, ...], ...]  # most points first, empty without a hit
    mode: Mode
    bounds: Bounds


def assess(
    inputs: RuleInput,
    policy: Policy,
    evidence: Evidence = _NO_EVIDENCE,
    bounds: Bounds = NO_BOUNDS,
) -> Assessment:
    """Score every purchase by one policy and the bounds it has; a pure function of its arguments.

    A purchase with a calibrated probability has it as its score; one without is scored by points.
    """
    answers = _answers(inputs, policy)
    hits = answers == HIT
    score, is_modelled = _scores(inputs, policy, hits, evidence)
    scored = Scored(score, is_modelled, hits)
    decided: Decided = decide(inputs, policy, scored, evidence, bounds)
    return Assessment(
        score=score,
        level=decided.level,
        outcome=decided.outcome,
        is_control=decided.is_control,
        is_novel=decided.is_novel,
        answers=answers,
        reasons=reasons_of(inputs, policy, evidence, scored, decided),
        mode=mode_of(policy, evidence),
        bounds=bounds,
    )


def mode_of(policy: Policy, evidence: Evidence) -> Mode:
    """Return which parts make the score of purchases with this evidence."""
    if evidence.score is not None and not policy.scores_by_points:
        return Mode.WITH_MODEL
    has_anomaly = policy.anomaly is not None and evidence.anomaly is not None
    return Mode.WITH_ANOMALY if has_anomaly else Mode.RULES_ONLY


def _answers(inputs: RuleInput, policy: Policy) -> Answers:
    answers = np.full((len(inputs.amount_eur_cents), len(policy.rules)), UNKNOWN)
    for place, rule in enumerate(policy.rules):
        answers[:, place] = rule.answer(inputs)
    return answers


def _scores(
    inputs: RuleInput, policy: Policy, hits: Bools, evidence: Evidence
) -> tuple[Float64s, Bools]:
    """Return every score, and whether it is the model's."""
    points = np.array([rule.points for rule in policy.rules], dtype=np.int64)
    anomaly = policy.anomaly.contribution(evidence) if policy.anomaly else None
    parts = [amount_tiebreak(inputs.amount_eur_cents)] if anomaly is None else [
        anomaly, amount_tiebreak(inputs.amount_eur_cents)
    ]  # fmt: skip
    by_points = combined(hits @ points, *parts)
    if evidence.score is None or policy.scores_by_points:
        return by_points, np.zeros(len(by_points), dtype=np.bool_)
    is_modelled = ~np.isnan(evidence.score)
    return np.where(is_modelled, evidence.score, by_points), is_modelled
