"""Export when the artefacts in use were made: models, calibration, risk views, policy.

Evaluated when the metrics are scraped, so scoring pays nothing for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.views.catalogue import VALID_AFTER_MS
from fraudwatch.domain.views.published import RiskViews
from fraudwatch.observability.metrics import gauge

_made_at = gauge("fraudwatch_detector_artefact_made_at_seconds")


class ModelsInUse(Protocol):
    """Knows the models of the last micro-batch."""

    @property
    def in_use(self) -> ActiveModels:
        """The models; empty before the first micro-batch."""


class ViewsInUse(Protocol):
    """Knows the risk views of the last micro-batch."""

    @property
    def in_use(self) -> RiskViews:
        """The views; none before the first micro-batch."""


class PolicyInUse(Protocol):
    """Knows since when the policy of the last micro-batch is used."""

    @property
    def in_use_since_seconds(self) -> float | None:
        """Epoch seconds; None before the first micro-batch."""


def export_artefact_times(models: ModelsInUse, views: ViewsInUse, policy: PolicyInUse) -> None:
    """Export the times of these artefacts from now on; NaN where there is none."""
    times: dict[str, Callable[[], float | None]] = {
        "model": lambda: _model_seconds(models.in_use),
        "forest": lambda: _forest_seconds(models.in_use),
        "calibration": lambda: _calibration_seconds(models.in_use),
        "view": lambda: _view_seconds(views.in_use),
        "policy": lambda: policy.in_use_since_seconds,
    }
    for artefact, made_at_seconds in times.items():
        _made_at.labels(artefact).set_function(_or_nan(made_at_seconds))


def _or_nan(made_at_seconds: Callable[[], float | None]) -> Callable[[], float]:
    def value() -> float:
        seconds = made_at_seconds()
        return math.nan if seconds is None else seconds

    return value


def _model_seconds(models: ActiveModels) -> float | None:
    return models.fraud.about.fitted_at_ms / 1000 if models.fraud else None


def _forest_seconds(models: ActiveModels) -> float | None:
    return models.anomaly.about.fitted_at_ms / 1000 if models.anomaly else None


def _calibration_seconds(models: ActiveModels) -> float | None:
    return models.calibration.fitted_at_ms / 1000 if models.calibration else None


def _view_seconds(views: RiskViews) -> float | None:
    """Return the end of the last hour that the newest view includes."""
    return (views.published[-1].valid_from_ms - VALID_AFTER_MS) / 1000 if views.published else None
