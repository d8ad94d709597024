"""Explain HIGH and CRITICAL verdicts: top contributing features, each with its normal value.

For a few rows only: exact SHAP values cost a millisecond a row, scoring a thousandth of that.

The classifier is explained by its SHAP values. The isolation forest has no cheap ones: there a
feature contributes its distance from the normal in spreads, taken from the customer's own amounts
where known, else from the training rows.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.features.feature_vector import VECTOR_INDEX
from fraudwatch.domain.messages.explanation import Contribution
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.fitted import ModelMetadata, Normal

MAX_CONTRIBUTIONS: Final = 5
# The deviation over few purchases is an underestimate.
_LEAST_SPREAD_OF_MEAN = 0.1
_AMOUNT, _AMOUNT_RATIO = "amount_eur_cents", "amount_over_own_mean_ratio"
_OWN_MEAN, _OWN_DEVIATION = "own_amount_mean_eur_cents", "own_amount_deviation_eur_cents"
_HOUR, _OWN_HOUR_SHARE = "hour_of_day", "own_hour_share_ratio"

Explanation = tuple[Contribution, ...]


class _Normals(NamedTuple):
    """Normal value and spread for each row, by feature of the model."""

    middle: Float64s  # [row, feature]
    spread: Float64s


def explain(models: ActiveModels, features: Float64s) -> tuple[Explanation, ...]:
    """Return the top contributions of each row, largest first; empty without a model.

    ``features`` are the full vectors of the flagged rows only.
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
    return tuple(_top_contributions(about.features, *row) for row in rows)


def _normals(features: Float64s, about: ModelMetadata, training: Normal) -> _Normals:
    """Return the training rows' normal, replaced by the customer's own where it is known."""
    normals = _Normals(*(np.tile(one, (len(features), 1)) for one in training))
    mean = features[:, VECTOR_INDEX[_OWN_MEAN]]
    deviation = features[:, VECTOR_INDEX[_OWN_DEVIATION]]
    spread = np.maximum(deviation, _LEAST_SPREAD_OF_MEAN * mean)
    is_known = mean > 0
    for name, scale in ((_AMOUNT, np.ones_like(mean)), (_AMOUNT_RATIO, mean)):
        if name in about.features:
            place = about.features.index(name)
            normals.middle[is_known, place] = (mean / scale)[is_known]
            # One purchase has a mean and no deviation: then the training spread is used.
            has_spread = is_known & ~np.isnan(spread)
            normals.spread[has_spread, place] = (spread / scale)[has_spread]
    return normals


def _distances(features: Float64s, about: ModelMetadata, normals: _Normals) -> Float64s:
    """Return distances from the normal in spreads; NaN where unknown or covered elsewhere."""
    values = features[:, about.columns]
    is_spread = normals.spread > 0  # the forest never splits a constant feature
    distances = np.full(values.shape, np.nan)
    np.divide(values - normals.middle, normals.spread, out=distances, where=is_spread)
    knows_hour = ~np.isnan(features[:, VECTOR_INDEX[_OWN_HOUR_SHARE]])
    for place, name in enumerate(about.features):
        # The customer's baseline is the reference, not a property of the purchase.
        is_normal_itself = name in {_OWN_MEAN, _OWN_DEVIATION}
        if is_normal_itself or (name == _AMOUNT_RATIO and _AMOUNT in about.features):
            distances[:, place] = np.nan
        # The customer's share of purchases in the hour is preferred to the hour itself.
        if name == _HOUR and _OWN_HOUR_SHARE in about.features:
            distances[knows_hour, place] = np.nan
    return distances


def _top_contributions(
    names: tuple[str, ...], values: Float64s, middle: Float64s, parts: Float64s
) -> Explanation:
    # The catalogue's order decides between equals, so that the same input gives the same bytes.
    largest = sorted(
        (place for place in range(len(names)) if abs(parts[place]) > 0),
        key=lambda place: (-abs(parts[place]), VECTOR_INDEX[names[place]]),
    )
    return tuple(
        Contribution(
            names[place], _known(values[place]), _known(middle[place]), float(parts[place])
        )
        for place in largest[:MAX_CONTRIBUTIONS]
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
