"""Shop benchmark: what a month of verdicts means to honest customers who travel and pay offline.

Worlds of several seeds are judged one by one, each with its own model, and counted together.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from benchmarks.shop_arrivals import arrivals_of
from benchmarks.shop_figures import honest_declined_by, last_alerts, outcome_figures, rule_figures
from benchmarks.shop_labels import LABEL_DELAY_DAYS, labels_of
from benchmarks.shop_log import ShopTable, table_of
from benchmarks.shop_verdicts import Judged, Verdicts, judge
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.time_units import DAY_MS, MINUTE_MS
from shop.plan import Plan

FEWEST_DAYS: Final = 2 * LABEL_DELAY_DAYS + 2
"""Days from which on there is a day to train on before the second half."""

log = logging.getLogger("shop")


class _World(NamedTuple):
    counts: dict[str, int]
    judged: dict[str, Judged]  # by the kind of labels


def measure(plans: Sequence[Plan], policy: Policy) -> dict[str, Any]:
    """Generate, fold and judge the purchases of each plan, once with each kind of labels."""
    worlds = [_judged(plan, policy) for plan in plans]
    counts = {name: sum(one.counts[name] for one in worlds) for name in worlds[0].counts}
    days = plans[0].history_days
    return {
        "days": days,
        "from": plans[0].epoch,
        "seeds": [one.seed for one in plans],
        "customers": plans[0].customers,
        **counts,
        "label_delay_days": LABEL_DELAY_DAYS,
        "policy": policy.version,
        "labels": [
            _report(name, [one.judged[name] for one in worlds], days, policy)
            for name in worlds[0].judged
        ],
    }


def _judged(plan: Plan, policy: Policy) -> _World:
    log.info("seed %d: generating %d days", plan.seed, plan.history_days)
    table = table_of(arrivals_of(plan))
    log.info("seed %d: judging %d purchases", plan.seed, len(table.is_fraud))
    half_ms = plan.epoch_minute * MINUTE_MS + plan.history_days // 2 * DAY_MS
    judged = {
        labels.name: judge(table, labels.changes, policy, half_ms) for labels in labels_of(table)
    }
    return _World(_counts(table), judged)


def _counts(table: ShopTable) -> dict[str, int]:
    latitude = table.folded.frame["purchase_latitude"].to_numpy()
    return {
        "purchases": len(table.is_fraud),
        "refused": len(table.folded.refused),
        "late": int((table.arrives_ms > table.event_at_ms).sum()),
        "position_0_0": int((latitude == 0).sum()),
        "declined_by_bank": int((~table.is_approved).sum()),
    }


def _report(name: str, worlds: Sequence[Judged], days: int, policy: Policy) -> dict[str, Any]:
    columns = zip(*(one.verdicts for one in worlds), strict=True)
    verdicts = Verdicts(*(np.concatenate(column) for column in columns))
    first_days = days // 2
    spans = (
        ("rules only", ~verdicts.has_score, first_days),
        ("with a model", verdicts.has_score, days - first_days),
        ("all days", np.ones_like(verdicts.has_score), days),
    )
    return {
        "name": name,
        "review_from": [one.bounds.review_from for one in worlds],
        "decline_from": [
            one.bounds.decline_from if np.isfinite(one.bounds.decline_from) else None
            for one in worlds
        ],
        "spans": [
            {"name": span, **outcome_figures(verdicts, among, len(worlds) * span_days)}
            for span, among, span_days in spans
        ],
        "honest_declined_by": honest_declined_by(verdicts, policy),
        "last_alerts": last_alerts(verdicts),
        "rules": list(rule_figures(verdicts, policy)),
    }
