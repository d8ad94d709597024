"""Judge the shop's purchases as served: by rules in the first half, then by a model as well.

The model knows what was known when the second half began: purchases older than the label delay,
their labels by then, and none that was declined or failed and never reported.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final, NamedTuple, cast

import numpy as np

from benchmarks.shop_labels import LABEL_DELAY_DAYS, fraud_known_by
from benchmarks.shop_log import ShopTable
from benchmarks.shop_model import RecentRows, ShopModel, TrainingRows, calibrate
from fraudwatch.application.scoring.assess import Assessment, assess
from fraudwatch.application.scoring.outcomes import DECLINE
from fraudwatch.domain.arrays import Bools, Float64s, Int64s
from fraudwatch.domain.calibration.calibration import Calibration
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.bounds import NO_BOUNDS, Bounds, bounds_of, check_floors
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.rules.rule import HIT, RuleInput
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.views.catalogue import Entity
from fraudwatch.domain.views.past import LabelChanges

# Of the alerts by score: those that a floor displaces first.
LAST_ALERTS_SHARE: Final = 0.1
# Purchases at a time: every assessment builds the sentences of its reasons in memory.
_ASSESSED_AT_ONCE: Final = 20_000


class Verdicts(NamedTuple):
    """Verdicts of purchases and the truth about them; those of several worlds can be joined."""

    is_fraud: Bools
    is_near_fraud: Bools  # of a customer who had a fraud within a day
    has_score: Bools  # of a model; none in the first half
    outcome: Int64s
    hits: Bools  # [purchase, rule]
    is_declined_by_score: Bools
    is_below: Bools  # the score alone, without floors, would not review it
    is_last_alert: Bools  # of the alerts that the score alone would make, the lowest tenth


class Judged(NamedTuple):
    """Verdicts of one world and the bounds of its model."""

    verdicts: Verdicts
    bounds: Bounds


def judge(table: ShopTable, labels: LabelChanges, policy: Policy, half_ms: int) -> Judged:
    """Judge every purchase with the production code.

    Raises:
        BrokenPolicy: floors alone exceed the budget of alerts.
    """
    inputs = table.folded.rule_input(table.vectors(labels, LABEL_DELAY_DAYS * DAY_MS))
    model, calibration = _fitted(table, labels, inputs, policy, half_ms)
    has_score = table.event_at_ms >= half_ms
    score = np.full(len(has_score), np.nan)
    score[has_score] = calibration.score(model.log_odds(inputs.features[has_score]))
    check_floors(policy, calibration)
    bounds = bounds_of(policy, calibration)
    result = _assessed(inputs, policy, Evidence(score=score), bounds)
    review_from = bounds_of(replace(policy, floors={}), calibration).review_from
    verdicts = Verdicts(
        is_fraud=table.is_fraud,
        is_near_fraud=table.is_near_fraud(DAY_MS),
        has_score=has_score,
        outcome=result.outcome,
        hits=result.hits,
        is_declined_by_score=score >= bounds.decline_from,
        is_below=score < review_from,
        is_last_alert=_last_alerts(score, review_from),
    )
    return Judged(verdicts, bounds)


def _last_alerts(score: Float64s, review_from: float) -> Bools:
    alerts = np.flatnonzero(score >= review_from)
    count = math.ceil(len(alerts) * LAST_ALERTS_SHARE)
    is_last = np.zeros(len(score), dtype=np.bool_)
    is_last[alerts[np.argsort(score[alerts], kind="stable")][:count]] = True
    return is_last


class _Result(NamedTuple):
    outcome: Int64s
    hits: Bools


def _fitted(
    table: ShopTable, labels: LabelChanges, inputs: RuleInput, policy: Policy, half_ms: int
) -> tuple[ShopModel, Calibration]:
    is_fraud, at_ms = fraud_known_by(labels, half_ms, len(table.is_fraud)), table.event_at_ms
    recent_ms = half_ms - LABEL_DELAY_DAYS * DAY_MS
    declined = _assessed(inputs, policy, Evidence(), NO_BOUNDS).outcome == DECLINE
    is_labelled = is_fraud | (table.is_approved & ~declined)
    trained = (at_ms < recent_ms) & (table.arrives_ms < half_ms) & is_labelled
    rows = TrainingRows(
        inputs.features[trained], is_fraud[trained], table.folded.keys[Entity.CUSTOMER][trained]
    )
    recent = (at_ms >= recent_ms) & (at_ms < half_ms)
    recent_rows = RecentRows(
        RuleInput(inputs.amount_eur_cents[recent], inputs.features[recent]),
        at_ms[recent] // DAY_MS,
    )
    model = ShopModel(rows.vectors, rows.is_fraud)
    return model, calibrate(model, rows, recent_rows, policy, LABEL_DELAY_DAYS)


def _assessed(inputs: RuleInput, policy: Policy, evidence: Evidence, bounds: Bounds) -> _Result:
    parts: list[Assessment] = []
    for begin in range(0, len(inputs.amount_eur_cents), _ASSESSED_AT_ONCE):
        rows = slice(begin, begin + _ASSESSED_AT_ONCE)
        piece = RuleInput(*cast("Any", (column[rows] for column in inputs)))
        outputs = (None if one is None else one[rows] for one in evidence)
        parts.append(assess(piece, policy, Evidence(*outputs), bounds))
    return _Result(
        np.concatenate([one.outcome for one in parts]),
        np.concatenate([one.answers for one in parts]) == HIT,
    )
