"""Convert an isolation forest with its calibration to and from its artefact."""

from __future__ import annotations

import numpy as np

from fraudwatch.adapters.artefacts.model_artefact import Artefact
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.models.active_models import AnomalyModel
from fraudwatch.domain.models.fitted import (
    VERSION_LENGTH,
    BrokenModel,
    ModelKind,
    ModelMetadata,
    Normal,
)
from fraudwatch.domain.models.forest import Forest

_QUANTILES = "quantiles"
_TYPES = {
    "root": np.int32,
    "feature": np.int32,
    "threshold": np.float64,
    "children": np.int32,
    "depth": np.float64,
}


def forest_artefact(
    about: ModelMetadata, normal: Normal, forest: Forest, quantiles: Float64s
) -> Artefact:
    """Build the artefact of a fitted forest."""
    flat = {name: np.asarray(value) for name, value in forest._asdict().items()}
    return Artefact(about, normal, {**flat, _QUANTILES: quantiles})


def forest_model(artefact: Artefact, sha256: str) -> AnomalyModel:
    """Build the evaluator of an artefact.

    Raises:
        BrokenModel: the artefact has no usable forest.
    """
    if artefact.about.kind is not ModelKind.ISOLATION_FOREST:
        raise BrokenModel(f"model {sha256[:VERSION_LENGTH]} is no {ModelKind.ISOLATION_FOREST}")
    try:
        arrays = {
            name: np.ascontiguousarray(artefact.arrays[name], dtype=kind)
            for name, kind in _TYPES.items()
        }
        levels, typical_depth = artefact.arrays["levels"], artefact.arrays["typical_depth"]
        forest = Forest(**arrays, levels=int(levels), typical_depth=float(typical_depth))
        quantiles = np.asarray(artefact.arrays[_QUANTILES], dtype=np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenModel(f"its trees or its calibration are missing: {error}") from error
    return AnomalyModel(sha256[:VERSION_LENGTH], artefact.about, artefact.normal, forest, quantiles)
