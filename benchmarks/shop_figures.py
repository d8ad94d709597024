"""Compute what verdicts mean to honest customers, and what each rule earns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.binomial_bound import lowest_share
from benchmarks.poisson_bound import highest_mean
from benchmarks.shop_verdicts import Verdicts
from fraudwatch.application.scoring.outcomes import APPROVE, DECLINE
from fraudwatch.domain.arrays import Bools
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.policy.policy import Policy


def outcome_figures(verdicts: Verdicts, among: Bools, days: int) -> dict[str, Any]:
    """Count alerts and declines among some of the purchases."""
    fraud, outcome = verdicts.is_fraud[among], verdicts.outcome[among]
    is_alert, is_declined = outcome > APPROVE, outcome == DECLINE
    honest, declined = int((~fraud).sum()), int((is_declined & ~fraud).sum())
    return {
        "days": days,
        "honest": honest,
        "honest_declined": declined,
        "honest_declined_upper_95": highest_mean(declined) / max(1, honest),
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
    """Count the hits of each rule, and those that the score alone would not have reviewed.

    A rule earns a floor if the share of fraud among the latter is surely above that of the last
    alerts, which the floor would displace.
    """
    fraud, last = verdicts.is_fraud, last_alerts(verdicts)["precision"] or 0.0
    honest = max(1, int((~fraud).sum()))
    for column, rule in enumerate(policy.rules):
        is_hit = verdicts.hits[:, column]
        wrong, alone = is_hit & ~fraud, is_hit & verdicts.is_below
        lowest = lowest_share(int((alone & fraud).sum()), int(alone.sum()))
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
            "precision_alone_lower_95": lowest,
            "earns_floor": lowest > last,
        }


def _ratio(part: Bools, whole: Bools) -> float | None:
    return int(part.sum()) / int(whole.sum()) if whole.any() else None
