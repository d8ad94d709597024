"""Evaluate an isolation forest: few cuts isolate an unusual purchase (Liu, Ting, Zhou 2008).

The trees are stored flat in arrays, and one compiled function walks some rows at a time through a
tree, all of them one level down at once: a leaf leads to itself, so no step waits for another row's
or needs to predict where a walk ends. That is 3 to 4 times as fast as row by row, and
scikit-learn's own call costs milliseconds. Each row's sum runs in the order of the trees: its bytes
do not depend on the other rows of its batch.

The forest has no unknown values. They are replaced by the training rows' median, in training as in
serving: a neutral value. Values are converted to float32 here, as scikit-learn does, and compared
with float64 thresholds.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from fraudwatch.domain.arrays import Float32s, Float64s, Int32s, Int64s
from fraudwatch.domain.models.fitted import BrokenModel

_CHUNK_ROWS = 64


class Forest(NamedTuple):
    """All trees, one node after the other; a child comes after its parent."""

    root: Int32s  # [tree]
    feature: Int32s  # [node] among the model's features
    threshold: Float64s  # [node] left if not above; infinite in a leaf
    children: Int32s  # [node, 2] left, right; a leaf's are itself
    depth: Float64s  # [node] of a leaf: cuts down to it, and those that would isolate its rows
    levels: int  # from a root to its deepest leaf
    typical_depth: float  # of all trees together, for a typical row


def check_forest(forest: Forest, width: int) -> None:
    """Check that every node, child and feature of a forest exists.

    Raises:
        BrokenModel: one does not exist.
    """
    nodes = len(forest.feature)
    own = np.arange(nodes)[:, None]
    is_sound = (
        len(forest.root) > 0
        and forest.threshold.shape == forest.depth.shape == (nodes,)
        and forest.children.shape == (nodes, 2)
        and _are_below(forest.root, nodes)
        and _are_below(forest.feature, width)
        and _are_below(forest.children, nodes)
        and bool((forest.children >= own).all())
        and forest.levels >= 0
        and math.isfinite(forest.typical_depth)
        and forest.typical_depth > 0
    )
    if not is_sound:
        raise BrokenModel("its trees lead nowhere: nodes, children and features do not fit")


def _are_below(indexes: Int32s, count: int) -> bool:
    return bool(((indexes >= 0) & (indexes < count)).all())


def isolation_scores(
    forest: Forest, columns: Int64s, fill: Float64s, features: Float64s
) -> Float64s:
    """Return 0 to 1 for each row of full vectors: higher for fewer cuts, typically one half.

    ``columns`` are the indexes of the forest's features in a vector, ``fill`` replaces unknown
    values. The result is minus scikit-learn's ``score_samples``.
    """
    out = np.empty(len(features))
    _walk(forest, columns, fill, features, out)
    return out


@njit(cache=True)
def _walk(
    forest: Forest, columns: Int64s, fill: Float64s, features: Float64s, out: Float64s
) -> None:
    values = np.empty((_CHUNK_ROWS, len(columns)), dtype=np.float32)
    nodes = np.empty(_CHUNK_ROWS, dtype=np.int32)
    depths = np.empty(_CHUNK_ROWS)
    for first in range(0, len(features), _CHUNK_ROWS):
        count = min(_CHUNK_ROWS, len(features) - first)
        for i in range(count):
            for i_column in range(len(columns)):
                value = features[first + i, columns[i_column]]
                values[i, i_column] = fill[i_column] if math.isnan(value) else value
        depths[:] = 0.0
        for tree in range(len(forest.root)):
            _add_depths(forest, forest.root[tree], values[:count], nodes, depths)
        for i in range(count):
            out[first + i] = 2.0 ** (-depths[i] / forest.typical_depth)


@njit(cache=True)
def _add_depths(
    forest: Forest, root: int, values: Float32s, nodes: Int32s, depths: Float64s
) -> None:
    nodes[:] = root
    for _ in range(forest.levels):
        for i in range(len(values)):
            node = nodes[i]
            is_right = values[i, forest.feature[node]] > forest.threshold[node]
            nodes[i] = forest.children[node, int(is_right)]
    for i in range(len(values)):
        depths[i] += forest.depth[nodes[i]]


def warm_up() -> None:
    """Compile the walk before the first model is loaded, so that no batch waits for it."""
    root = np.zeros(1, dtype=np.int32)
    infinite = np.full(1, np.inf)
    leaf = Forest(root, root, infinite, np.zeros((1, 2), np.int32), np.ones(1), 0, 1.0)
    isolation_scores(leaf, np.zeros(1, np.int64), np.zeros(1), np.zeros((1, 1)))
