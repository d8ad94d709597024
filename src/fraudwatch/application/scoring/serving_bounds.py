"""Compute the bounds that a batch is scored by: the policy's, beside the active models."""

from __future__ import annotations

import math
from dataclasses import replace

from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.fitted import VERSION_LENGTH
from fraudwatch.domain.policy.bounds import Bounds, bounds_of
from fraudwatch.domain.policy.policy import Policy


def serving_bounds(policy: Policy, models: ActiveModels) -> Bounds:
    """Return the bounds of the policy beside these models.

    Novelty was counted with one forest; the anomaly of another one has no bound yet.
    """
    bounds, calibration = bounds_of(policy, models.calibration), models.calibration
    counted = calibration.forest_sha256 if calibration else None
    if counted is not None and counted[:VERSION_LENGTH] == models.anomaly_version:
        return bounds
    return replace(bounds, novel_from_anomaly=math.inf)
