"""Compute what verdicts mean to honest customers, and what each rule earns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from benchmarks.shop_verdicts import Verdicts
from fraudwatch.application.scoring.outcomes import APPROVE, DECLINE
from fraudwatch.domain.arrays import Bools
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.policy.policy import Policy

_CONFIDENCE: Final = 0.95
_HALVINGS: Final = 60


def outcome_figures(verdicts: Verdicts, among: Bools, days: int) -> dict[str, Any]:
    """Count alerts and declines among some of the purchases."""
    fraud, outcome = verdicts.is_fraud[among], verdicts.outcome[among]
    is_alert, is_declined = outcome > APPROVE, outcome == DECLINE
    honest, declined = int((~fraud).sum()), int((is_declined & ~fraud).sum())
    return {
        "days": days,
        "honest": honest,
        "honest_declined": declined,
        "honest_declined_upper_95": upper_bound(declined, honest),
        "alerts_a_day": int(is_alert.sum()) / days,
        "alert_precision": _ratio(is_alert & fraud, is_alert),
        "frauds": int(fraud.sum()),
        "frauds_in_alerts": _ratio(is_alert & fraud, fraud),
        "declined": int(is_declined.sum()),
        "decline_precision": _ratio(is_declined & fraud, is_declined),
    }


def honest_declined_by(verdicts: Verdicts, policy: Policy) -> dict[str, int]:
    """Count honest declined purchases by the rule or the score that declined them."""
    is_wrong = (verdicts.outcome == DECLINE) & ~verdicts.is_fraud
    by_score = {"score": int((is_wrong & verdicts.is_declined_by_score).sum())}
    return by_score | {
        rule.name: int((is_wrong & verdicts.hits[:, column]).sum())
        for column, rule in enumerate(policy.rules)
        if policy.floors.get(rule.name) == Outcome.DECLINE
    }


def last_alerts(verdicts: Verdicts) -> dict[str, Any]:
    """Count the last alerts of the score alone, which floors within the budget displace."""
    is_last = verdicts.is_last_alert
    frauds = is_last & verdicts.is_fraud
    return {
        "alerts": int(is_last.sum()),
        "frauds": int(frauds.sum()),
        "precision": _ratio(frauds, is_last),
    }


def rule_figures(verdicts: Verdicts, policy: Policy) -> Iterator[dict[str, Any]]:
    """Count the hits of each rule, and those that the score alone would not have reviewed."""
    fraud = verdicts.is_fraud
    honest = max(1, int((~fraud).sum()))
    for column, rule in enumerate(policy.rules):
        is_hit = verdicts.hits[:, column]
        wrong, alone = is_hit & ~fraud, is_hit & verdicts.is_below
        yield {
            "name": rule.name,
            "floor": policy.floors.get(rule.name),
            "hits": int(is_hit.sum()),
            "precision": _ratio(is_hit & fraud, is_hit),
            "honest_hits": int(wrong.sum()),
            "honest_hits_per_10_000": 10_000 * int(wrong.sum()) / honest,
            "honest_hits_near_fraud": int((wrong & verdicts.is_near_fraud).sum()),
            "hits_alone": int(alone.sum()),
            "frauds_alone": int((alone & fraud).sum()),
            "precision_alone": _ratio(alone & fraud, alone),
        }


def upper_bound(found: int, of: int) -> float:
    """Return the upper 95 % bound of a small share, by Poisson's distribution (Garwood 1936)."""
    low, high = 0.0, 10.0 + 2.0 * found + 10.0 * math.sqrt(found)
    for _ in range(_HALVINGS):
        mean = (low + high) / 2
        is_likely = _at_most(found, mean) > 1 - _CONFIDENCE
        low, high = (mean, high) if is_likely else (low, mean)
    return high / of if of else 1.0


def _at_most(count: int, mean: float) -> float:
    """Return the probability of at most this count."""
    logs = (n * math.log(mean) - mean - math.lgamma(n + 1) for n in range(count + 1))
    return math.fsum(math.exp(one) for one in logs)


def _ratio(part: Bools, whole: Bools) -> float | None:
    return int(part.sum()) / int(whole.sum()) if whole.any() else None
