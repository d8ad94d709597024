"""Explain flagged purchases: the features that spoke loudest, with what is normal beside them.

For a few rows only: exact SHAP values cost a millisecond a row, scoring a thousandth of that.

A model that learned from labels is explained by its SHAP values. For the isolation forest, which
has none that are cheap, a feature speaks by its distance from the normal in spreads: the
customer's own amounts where they are known, else what was usual among the training rows.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.features.feature_vector import VECTOR_INDEX
from fraudwatch.domain.messages.explanation import Contribution
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.fitted import ModelMetadata, Normal

TOLD: Final = 5
# A habit of few purchases looks sharper than it is.
_LEAST_SPREAD_OF_MEAN = 0.1
_AMOUNT, _AMOUNT_RATIO = "amount_eur_cents", "amount_over_own_mean_ratio"
_OWN_MEAN, _OWN_DEVIATION = "own_amount_mean_eur_cents", "own_amount_deviation_eur_cents"
_HOUR, _OWN_HOUR_SHARE = "hour_of_day", "own_hour_share_ratio"

Told = tuple[Contribution, ...]


class _Normals(NamedTuple):
    """What is normal for each row, by feature of the model."""

    middle: Float64s  # [row, feature]
    spread: Float64s


def explain(models: ActiveModels, features: Float64s) -> tuple[Told, ...]:
    """The loudest features of each row, loudest first; nothing where there is no model.

    ``features`` are the full vectors of the flagged rows alone.
    """
    model = models.fraud or models.anomaly
    if model is None:
        return ((),) * len(features)
    about, normals = model.about, _normals(features, model.about, model.normal)
    if models.fraud is not None:
        parts = models.fraud.contributions(features)[:, :-1]
    else:
        parts = _distances(features, about, normals)
    values = features[:, about.columns]
    rows = zip(values, normals.middle, parts, strict=True)
    return tuple(_told(about.features, *row) for row in rows)


def _normals(features: Float64s, about: ModelMetadata, training: Normal) -> _Normals:
    """The training rows' normal, and the customer's own in its place where it is known."""
    normals = _Normals(*(np.tile(one, (len(features), 1)) for one in training))
    mean = features[:, VECTOR_INDEX[_OWN_MEAN]]
    deviation = features[:, VECTOR_INDEX[_OWN_DEVIATION]]
    spread = np.maximum(deviation, _LEAST_SPREAD_OF_MEAN * mean)
    is_known = mean > 0
    for name, scale in ((_AMOUNT, np.ones_like(mean)), (_AMOUNT_RATIO, mean)):
        if name in about.features:
            place = about.features.index(name)
            normals.middle[is_known, place] = (mean / scale)[is_known]
            # One purchase has a mean and no deviation: how far others stray from theirs.
            has_spread = is_known & ~np.isnan(spread)
            normals.spread[has_spread, place] = (spread / scale)[has_spread]
    return normals


def _distances(features: Float64s, about: ModelMetadata, normals: _Normals) -> Float64s:
    """How many spreads from the normal; NaN where that is unknown or said by another feature."""
    values = features[:, about.columns]
    is_spread = normals.spread > 0  # where all were alike the forest never cuts
    distances = np.full(values.shape, np.nan)
    np.divide(values - normals.middle, normals.spread, out=distances, where=is_spread)
    knows_hour = ~np.isnan(features[:, VECTOR_INDEX[_OWN_HOUR_SHARE]])
    for place, name in enumerate(about.features):
        # The customer's own normal is what others are measured by, not a trait of the purchase.
        is_normal_itself = name in {_OWN_MEAN, _OWN_DEVIATION}
        if is_normal_itself or (name == _AMOUNT_RATIO and _AMOUNT in about.features):
            distances[:, place] = np.nan
        # The customer's own share of the hour says more than the hour's distance from noon.
        if name == _HOUR and _OWN_HOUR_SHARE in about.features:
            distances[knows_hour, place] = np.nan
    return distances


def _told(names: tuple[str, ...], values: Float64s, middle: Float64s, parts: Float64s) -> Told:
    # The catalogue's order decides between equals, so that the same input gives the same bytes.
    loudest = sorted(
        (place for place in range(len(names)) if abs(parts[place]) > 0),
        key=lambda place: (-abs(parts[place]), VECTOR_INDEX[names[place]]),
    )
    return tuple(
        Contribution(
            names[place], _known(values[place]), _known(middle[place]), float(parts[place])
        )
        for place in loudest[:TOLD]
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
