"""How well a score orders frauds before the rest, whatever score an alert begins at.

Purchases of equal score are one step: no order among them is made up, nobody gains by it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fraudwatch.domain.evaluation.labelled_scores import Flags, Floats, Integers


class Steps(NamedTuple):
    """What lies at or above each distinct score, from the highest score down."""

    frauds: Integers
    genuine: Integers


def steps(score: Floats, is_fraud: Flags) -> Steps:
    """Count frauds and genuine purchases down the ranking, one step a distinct score."""
    order = np.argsort(-score, kind="stable")
    ranked, frauds = score[order], np.cumsum(is_fraud[order])
    last_of_tie = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    return Steps(frauds[last_of_tie], last_of_tie + 1 - frauds[last_of_tie])


def average_precision(score: Floats, is_fraud: Flags) -> float:
    """Area under precision over recall as a sum of steps; NaN without frauds."""
    if not is_fraud.any():
        return float("nan")
    found = steps(score, is_fraud)
    precision = found.frauds / (found.frauds + found.genuine)
    recall = found.frauds / found.frauds[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def auc(score: Floats, is_fraud: Flags) -> float:
    """Area under the ROC curve; NaN unless there are both frauds and genuine purchases."""
    if not _has_both(is_fraud):
        return float("nan")
    false_alarm_ratio, recall = _roc(score, is_fraud)
    return float(np.trapezoid(recall, false_alarm_ratio))


def recall_at_fpr(score: Floats, is_fraud: Flags, false_positive_ratio: float) -> float:
    """Recall where this share of genuine purchases is marked, between two steps interpolated."""
    if not _has_both(is_fraud):
        return float("nan")
    return float(np.interp(false_positive_ratio, *_roc(score, is_fraud)))


def _has_both(is_fraud: Flags) -> bool:
    return bool(is_fraud.any()) and not bool(is_fraud.all())


def _roc(score: Floats, is_fraud: Flags) -> tuple[Floats, Floats]:
    found = steps(score, is_fraud)
    return (
        np.append(0.0, found.genuine / found.genuine[-1]),
        np.append(0.0, found.frauds / found.frauds[-1]),
    )
