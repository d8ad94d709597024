"""Compute metrics of a score on a fold's test days, by :mod:`evaluation` alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.arrays import Bools, Float64s
from fraudwatch.domain.evaluation import budget, ranking
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores, ratio

Numbers = Mapping[str, float]
# Metrics over fewer frauds are chance.
FEWEST_FRAUDS_OF_A_SEGMENT: Final = 10
LARGEST_SEGMENTS: Final = 12


class MeanAndSpread(NamedTuple):
    """Mean and standard deviation over folds; the deviation of a single fold is unknown."""

    mean: float
    std: float


def numbers_of(labelled: LabelledScores, score: Float64s, cards_a_day: int) -> dict[str, float]:
    """Compute the metrics of one score; NaN where one cannot be computed."""
    found = budget.card_precision(labelled, score, cards_a_day).mean
    perfect = budget.perfect_card_precision(labelled, cards_a_day).mean
    return {
        "average_precision": ranking.average_precision(score, labelled.is_fraud),
        "auc": ranking.auc(score, labelled.is_fraud),
        "recall_at_fpr_0_01": ranking.recall_at_fpr(score, labelled.is_fraud, 0.01),
        "recall_at_fpr_0_001": ranking.recall_at_fpr(score, labelled.is_fraud, 0.001),
        "card_precision": found,
        "card_precision_of_perfect": ratio(found, perfect),
        "value_in_budget": budget.value_in_budget(labelled, score, cards_a_day),
    }


def numbers_by_segment(
    labelled: LabelledScores, score: Float64s, segment: npt.NDArray[np.object_]
) -> dict[str, dict[str, float]]:
    """Compute the metrics without a daily budget for the largest segments with enough frauds."""
    names, segment_of, size = np.unique(
        [str(name) for name in segment], return_inverse=True, return_counts=True
    )
    found: dict[str, dict[str, float]] = {}
    for number in np.argsort(-size)[:LARGEST_SEGMENTS].tolist():
        is_in = segment_of == number
        frauds = int(labelled.is_fraud[is_in].sum())
        if frauds >= FEWEST_FRAUDS_OF_A_SEGMENT:
            found[str(names[number])] = {
                "purchases": int(size[number]),
                "frauds": frauds,
                "average_precision": ranking.average_precision(
                    score[is_in], labelled.is_fraud[is_in]
                ),
                "recall_at_fpr_0_01": ranking.recall_at_fpr(
                    score[is_in], labelled.is_fraud[is_in], 0.01
                ),
            }
    return found


def over_folds(folds: Iterable[Numbers]) -> dict[str, MeanAndSpread]:
    """Return mean and standard deviation of each metric over the folds in which it is known."""
    listed = list(folds)
    names = dict.fromkeys(name for fold in listed for name in fold)
    return {name: _over([fold[name] for fold in listed if name in fold]) for name in names}


def _over(values: list[float]) -> MeanAndSpread:
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return MeanAndSpread(float("nan"), float("nan"))
    spread = float(np.std(known, ddof=1)) if len(known) > 1 else float("nan")
    return MeanAndSpread(float(np.mean(known)), spread)


def part_of(labelled: LabelledScores, chosen: Bools) -> LabelledScores:
    """Select some of the purchases."""
    return LabelledScores(
        transaction=labelled.transaction[chosen],
        card=labelled.card[chosen],
        event_at_ms=labelled.event_at_ms[chosen],
        eur_cents=labelled.eur_cents[chosen],
        is_fraud=labelled.is_fraud[chosen],
    )
