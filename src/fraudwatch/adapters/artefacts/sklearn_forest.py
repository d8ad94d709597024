"""Fit an isolation forest with scikit-learn and flatten it for the evaluator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest

from fraudwatch.adapters.artefacts.forest_artefact import forest_artefact
from fraudwatch.adapters.artefacts.model_artefact import Artefact
from fraudwatch.domain.arrays import Float64s, Int32s
from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.models.anomaly_quantiles import quantiles_of
from fraudwatch.domain.models.fitted import ModelMetadata, normal_of
from fraudwatch.domain.models.forest import Forest, isolation_scores

_EULER = float(np.euler_gamma)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestShape:
    """Number of trees and rows for each; the same seed gives the same forest."""

    trees: int = 100
    rows_of_tree: int = 256
    seed: int = 7


def fit_forest(rows: Float64s, about: ModelMetadata, shape: ForestShape) -> Artefact:
    """Fit on full vectors; a feature that is unknown in every row is dropped from ``about``.

    Unknown values are imputed by the median of the known ones, as in serving.
    """
    is_known = (~np.isnan(rows[:, about.columns])).any(axis=0)
    names = [about.features[place] for place in np.flatnonzero(is_known).tolist()]
    about = replace(about, features=tuple(names))
    values = rows[:, about.columns]
    normal = normal_of(values)
    fitted = IsolationForest(
        n_estimators=shape.trees,
        max_samples=min(shape.rows_of_tree, len(rows)),
        random_state=shape.seed,
        n_jobs=1,
    ).fit(np.where(np.isnan(values), normal.median, values))
    forest = flattened(fitted)
    scores = isolation_scores(forest, about.columns, normal.median, rows)
    return forest_artefact(about, normal, forest, quantiles_of(scores))


def all_features() -> tuple[str, ...]:
    """Return the default features of a forest: all features of the fold.

    Risk views may be absent for hours, and their absence is no anomaly of a purchase.
    """
    return tuple(feature.name for feature in FEATURES)


def flattened(fitted: IsolationForest) -> Forest:
    """Flatten all trees into arrays; the scores equal ``score_samples``, negated."""
    trees = [one.tree_ for one in fitted.estimators_]
    root = np.cumsum([0, *(tree.node_count for tree in trees[:-1])])
    parts = [_nodes(tree, int(first)) for tree, first in zip(trees, root, strict=True)]
    feature, threshold, children, depth = (np.concatenate(one) for one in zip(*parts, strict=True))
    return Forest(
        root=root.astype(np.int32),
        feature=feature,
        threshold=threshold,
        children=children,
        depth=depth,
        levels=max(int(tree.max_depth) for tree in trees),
        typical_depth=len(trees) * float(_expected_cuts(np.array([fitted.max_samples_]))[0]),
    )


def _nodes(tree: Any, first: int) -> tuple[Int32s, Float64s, Int32s, Float64s]:
    is_leaf = tree.children_left < 0
    own = np.arange(tree.node_count)[:, None]
    children = np.stack([tree.children_left, tree.children_right], axis=1)
    cuts = _cuts_above(tree) + _expected_cuts(tree.n_node_samples)
    return (
        np.where(is_leaf, 0, tree.feature).astype(np.int32),
        np.where(is_leaf, np.inf, tree.threshold),
        (np.where(is_leaf[:, None], own, children) + first).astype(np.int32),
        np.where(is_leaf, cuts, 0.0),
    )


def _cuts_above(tree: Any) -> Float64s:
    """Count the cuts that lead to each node; a child comes after its parent."""
    cuts = np.zeros(tree.node_count)
    for node in np.flatnonzero(tree.children_left >= 0):
        for child in (tree.children_left[node], tree.children_right[node]):
            cuts[child] = cuts[node] + 1
    return cuts


def _expected_cuts(rows: Any) -> Float64s:
    """Return the average number of further cuts to isolate a row (Liu et al., eq. 1)."""
    many = np.maximum(np.asarray(rows, dtype=np.float64), 3.0)
    expected = 2.0 * (np.log(many - 1.0) + _EULER) - 2.0 * (many - 1.0) / many
    return np.where(rows <= 1, 0.0, np.where(rows <= 2, 1.0, expected))  # noqa: PLR2004  two rows: one cut
