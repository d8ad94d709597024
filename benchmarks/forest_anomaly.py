"""Fit the isolation forest of a benchmark once, and score later purchases."""

from __future__ import annotations

import logging
from typing import Final

import numpy as np

from benchmarks.labelled_table import LabelledTable
from fraudwatch.adapters.artefacts.forest_artefact import forest_model
from fraudwatch.adapters.artefacts.sklearn_forest import ForestShape, all_features, fit_forest
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.fitted import ModelKind, ModelMetadata
from fraudwatch.domain.time_units import DAY_MS

_SEED: Final = 7

log = logging.getLogger("forest_anomaly")


def anomaly_from(table: LabelledTable, vectors: Float64s, first: int, curve_days: int) -> Float64s:
    """Return the anomaly of each purchase by a forest fitted on all before the first tested day.

    It is computed from so many days before that day on, and NaN before them.
    """
    day, at_ms = table.purchases.day, table.events.event_at_ms
    trained = np.flatnonzero(day < first)
    scored = np.flatnonzero(day >= first - curve_days)
    log.info("isolation forest on %d purchases", len(trained))
    about = ModelMetadata(
        kind=ModelKind.ISOLATION_FOREST,
        features=all_features(),
        features_version=features_version(),
        fitted_at_ms=first * DAY_MS,
        rows=len(trained),
        from_ms=int(at_ms[trained[0]]),
        until_ms=int(at_ms[trained[-1]]),
    )
    artefact = fit_forest(vectors[trained], about, ForestShape(seed=_SEED))
    anomaly = np.full(len(day), np.nan)
    anomaly[scored] = forest_model(artefact, sha256="").anomaly(vectors[scored])
    return anomaly
