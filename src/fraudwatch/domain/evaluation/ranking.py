"""Measure how well a score ranks frauds first, independent of a threshold: AP, AUC, recall@FPR.

Purchases of equal score are one step: no order among them is assumed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fraudwatch.domain.arrays import Bools, Float64s, Int64s


class Steps(NamedTuple):
    """Counts at or above each distinct score, from the highest score down."""

    frauds: Int64s
    genuine: Int64s


def steps(score: Float64s, is_fraud: Bools) -> Steps:
    """Count frauds and genuine purchases down the ranking, one step a distinct score."""
    order = np.argsort(-score, kind="stable")
    ranked, frauds = score[order], np.cumsum(is_fraud[order])
    last_of_tie = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    return Steps(frauds[last_of_tie], last_of_tie + 1 - frauds[last_of_tie])


def average_precision(score: Float64s, is_fraud: Bools) -> float:
    """Return the average precision: area under the precision-recall steps; NaN without frauds."""
    if not is_fraud.any():
        return float("nan")
    found = steps(score, is_fraud)
    precision = found.frauds / (found.frauds + found.genuine)
    recall = found.frauds / found.frauds[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def auc(score: Float64s, is_fraud: Bools) -> float:
    """Return the area under the ROC curve; NaN unless there are frauds and genuine purchases."""
    if not _has_both(is_fraud):
        return float("nan")
    fpr, recall = _roc(score, is_fraud)
    return float(np.trapezoid(recall, fpr))


def recall_at_fpr(score: Float64s, is_fraud: Bools, false_positive_ratio: float) -> float:
    """Return the recall at a false positive ratio, interpolated between two steps."""
    if not _has_both(is_fraud):
        return float("nan")
    return float(np.interp(false_positive_ratio, *_roc(score, is_fraud)))


def _has_both(is_fraud: Bools) -> bool:
    return bool(is_fraud.any()) and not bool(is_fraud.all())


def _roc(score: Float64s, is_fraud: Bools) -> tuple[Float64s, Float64s]:
    found = steps(score, is_fraud)
    return (
        np.append(0.0, found.genuine / found.genuine[-1]),
        np.append(0.0, found.frauds / found.frauds[-1]),
    )
