"""Decide level and outcome of purchases: deny > allow > floors and amount > score > control.

Rules with a floor, lists and high amounts change level and outcome, never the score: an overruled
score stays visible. Without a model's score nothing is declined by points alone.
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Bools, Float64s, Int64s
from fraudwatch.domain.messages.verdict import Outcome, Risk
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.bounds import LIKELY_FRAUD, Bounds
from fraudwatch.domain.policy.combination import FULL_SCORE_POINTS
from fraudwatch.domain.policy.policy import OUTCOMES, RISKS, Policy
from fraudwatch.domain.rules.lists import DenyList
from fraudwatch.domain.rules.rule import HIT, RuleInput

APPROVE, REVIEW, CHALLENGE, DECLINE = (OUTCOMES.index(one) for one in Outcome)
LOW, MEDIUM, HIGH, CRITICAL = (RISKS.index(one) for one in Risk)
_HASH_BYTES: Final = 8


class Decided(NamedTuple):
    """Level and outcome of each purchase, and what overruled the score."""

    level: Int64s  # place in RISKS
    outcome: Int64s  # place in OUTCOMES
    is_high_value: Bools  # CRITICAL by its amount
    is_allowed: Bools  # approved by the allow list, despite a reason against it
    is_novel: Bools
    is_control: Bools


class Scored(NamedTuple):
    """Scores of purchases, and which of them are a model's."""

    score: Float64s
    is_modelled: Bools
    hits: Bools  # [purchase, rule]


def decide(
    inputs: RuleInput, policy: Policy, scored: Scored, evidence: Evidence, bounds: Bounds
) -> Decided:
    """Decide every purchase by its score, the floors of its rules, its amount and the lists."""
    level, by_score = _by_score(policy, scored, bounds)
    floor = _floors(policy, scored.hits)
    level = np.maximum(level, np.where(floor >= DECLINE, CRITICAL, np.minimum(floor, MEDIUM)))
    is_novel = _novel(evidence, scored, bounds) & (level == LOW)
    outcome = np.maximum(by_score, np.maximum(floor, np.where(is_novel, REVIEW, APPROVE)))
    level = np.where(is_novel, MEDIUM, level)
    is_high_value = _high_value(inputs, policy) & (level >= MEDIUM)
    is_control = _control(inputs, policy, (by_score == DECLINE) & (floor < DECLINE))
    outcome = np.where(is_control, np.maximum(floor, REVIEW), outcome)
    is_allowed = _allowed(inputs, policy, scored.hits)
    has_reason = scored.hits.any(axis=1) | (level > LOW)
    return Decided(
        level=np.where(is_allowed, LOW, np.where(is_high_value, CRITICAL, level)),
        outcome=np.where(is_allowed, APPROVE, outcome),
        is_high_value=is_high_value & (level < CRITICAL),
        is_allowed=is_allowed & has_reason,
        is_novel=is_novel & ~is_allowed,
        is_control=is_control & ~is_allowed,
    )


def _by_score(policy: Policy, scored: Scored, bounds: Bounds) -> tuple[Int64s, Int64s]:
    """Return level and outcome by the score alone."""
    score = scored.score
    high_from = min(max(LIKELY_FRAUD, bounds.review_from), bounds.decline_from)
    of_model = np.searchsorted([bounds.review_from, high_from, bounds.decline_from], score, "right")
    from_score = [level.from_points / FULL_SCORE_POINTS for level in policy.levels[1:]]
    of_points = np.searchsorted(from_score, score, "right")
    level = np.where(scored.is_modelled, of_model, of_points).astype(np.int64)
    outcome = np.where(level >= MEDIUM, REVIEW, APPROVE)
    outcome[scored.is_modelled & (score >= bounds.challenge_from)] = CHALLENGE
    outcome[scored.is_modelled & (score >= bounds.decline_from)] = DECLINE
    return level, outcome


def _floors(policy: Policy, hits: Bools) -> Int64s:
    """Return the strictest floor among the rules that hit; APPROVE where there is none."""
    of_rules = [policy.floors.get(rule.name, Outcome.APPROVE) for rule in policy.rules]
    floors = np.array([OUTCOMES.index(one) for one in of_rules], dtype=np.int64)
    strictest: Int64s = (hits * floors).max(axis=1, initial=APPROVE)
    return strictest


def _novel(evidence: Evidence, scored: Scored, bounds: Bounds) -> Bools:
    """Select purchases that the model calls harmless and the forest very unusual."""
    if evidence.anomaly is None:
        return np.zeros_like(scored.is_modelled)
    novel: Bools = scored.is_modelled & (evidence.anomaly >= bounds.novel_from_anomaly)
    return novel


def _high_value(inputs: RuleInput, policy: Policy) -> Bools:
    if policy.critical_from_eur_cents is None:
        return np.zeros(len(inputs.amount_eur_cents), dtype=np.bool_)
    return inputs.amount_eur_cents >= policy.critical_from_eur_cents


def _control(inputs: RuleInput, policy: Policy, is_declined_by_score: Bools) -> Bools:
    """Draw the control group by a keyed hash of the transaction id: the same in stream and batch.

    Raises:
        ValueError: a control group is wanted and the ids are not given.
    """
    is_control = np.zeros_like(is_declined_by_score)
    if not policy.control.share:
        return is_control
    for i in np.flatnonzero(is_declined_by_score).tolist():
        is_control[i] = _draw(policy.control.salt, inputs.transaction_id[i]) < policy.control.share
    return is_control


def _draw(salt: str, transaction_id: str) -> float:
    """Return a number from 0 to 1 that only the salt's owner can compute."""
    # A key of BLAKE2 has at most 64 bytes, so a longer salt is hashed first (RFC 7693).
    key = hashlib.blake2b(salt.encode()).digest()
    digest = hashlib.blake2b(transaction_id.encode(), key=key, digest_size=_HASH_BYTES).digest()
    return int.from_bytes(digest, "big") / float(1 << 8 * _HASH_BYTES)


def _allowed(inputs: RuleInput, policy: Policy, hits: Bools) -> Bools:
    is_deny = [isinstance(rule, DenyList) for rule in policy.rules]
    is_denied = hits[:, np.array(is_deny, dtype=np.bool_)].any(axis=1)
    is_allowed: Bools = (policy.allow.answer(inputs) == HIT) & ~is_denied
    return is_allowed
