"""Score a micro-batch by groups of customers: those of a canary, and all others.

Without a canary there is one group, and nothing is copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fraudwatch.adapters.codecs.log_fold import FoldedMessages
from fraudwatch.application.scoring.assess import Assessment, assess
from fraudwatch.application.scoring.explain import explain
from fraudwatch.application.scoring.outcomes import HIGH
from fraudwatch.domain.arrays import Bools, Float64s, Int64s
from fraudwatch.domain.messages.explanation import Contribution
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.bounds import NO_BOUNDS, Bounds
from fraudwatch.domain.policy.policy import Policy


class Served(NamedTuple):
    """Active models with their bounds, and those of their canary."""

    models: ActiveModels
    bounds: Bounds
    canary_bounds: Bounds = NO_BOUNDS


class ModelGroup(NamedTuple):
    """Purchases that the same models score, and their scores."""

    rows: Int64s | None
    """Their places in the micro-batch; None: all of it."""
    folded: FoldedMessages
    models: ActiveModels
    evidence: Evidence
    result: Assessment
    explanations: dict[int, tuple[Contribution, ...]]
    """Top contributing features of HIGH and CRITICAL verdicts, by row of the group."""


def score_groups(
    folded: FoldedMessages, features: Float64s, policy: Policy, served: Served
) -> list[ModelGroup]:
    """Score each group by its own models and their bounds."""
    models, canary = served.models, served.models.canary
    if canary is None:
        return [_score(None, folded, features, policy, models, served.bounds)]
    on_trial: Bools = canary.selects(folded.frame["customer_token"].to_list())
    groups = (
        (np.flatnonzero(~on_trial), models, served.bounds),
        (np.flatnonzero(on_trial), canary.models, served.canary_bounds),
    )
    return [_score(rows, folded, features, policy, used, bounds) for rows, used, bounds in groups]


def in_batch_order(groups: Sequence[ModelGroup], encoded: Sequence[list[bytes]]) -> list[bytes]:
    """Merge the messages of the groups: a partition is published in offset order."""
    if groups[0].rows is None:
        return encoded[0]
    merged = [b""] * sum(map(len, encoded))
    for group, messages in zip(groups, encoded, strict=True):
        if group.rows is not None:
            for row, message in zip(group.rows.tolist(), messages, strict=True):
                merged[row] = message
    return merged


def _score(
    rows: Int64s | None,
    folded: FoldedMessages,
    features: Float64s,
    policy: Policy,
    models: ActiveModels,
    bounds: Bounds,
) -> ModelGroup:
    if rows is not None:
        folded, features = folded.only(rows), features[rows]
    evidence = models.evidence(features)
    result = assess(folded.rule_input(features), policy, evidence, bounds)
    explained = np.flatnonzero(result.level >= HIGH)
    explanations = dict(zip(explained.tolist(), explain(models, features[explained]), strict=True))
    return ModelGroup(rows, folded, models, evidence, result, explanations)
