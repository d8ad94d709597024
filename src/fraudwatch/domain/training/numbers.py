"""What a score was worth on a fold's test days, by :mod:`fraudwatch.domain.evaluation` alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.evaluation import budget, ranking
from fraudwatch.domain.evaluation.labelled_scores import Flags, Floats, Judged, ratio

Numbers = Mapping[str, float]
# A number over fewer frauds is chance.
FEWEST_FRAUDS_OF_A_SEGMENT: Final = 10
LARGEST_SEGMENTS: Final = 12


class MeanAndSpread(NamedTuple):
    """Over folds; the spread is the standard deviation of the folds, unknown of a single one."""

    mean: float
    std: float


def numbers_of(judged: Judged, score: Floats, cards_a_day: int) -> dict[str, float]:
    """The numbers of one score; what cannot be told is NaN."""
    found = budget.card_precision(judged, score, cards_a_day).mean
    perfect = budget.perfect_card_precision(judged, cards_a_day).mean
    return {
        "average_precision": ranking.average_precision(score, judged.is_fraud),
        "auc": ranking.auc(score, judged.is_fraud),
        "recall_at_fpr_0_01": ranking.recall_at_fpr(score, judged.is_fraud, 0.01),
        "recall_at_fpr_0_001": ranking.recall_at_fpr(score, judged.is_fraud, 0.001),
        "card_precision": found,
        "card_precision_of_perfect": ratio(found, perfect),
        "value_in_budget": budget.value_in_budget(judged, score, cards_a_day),
    }


def numbers_by_segment(
    judged: Judged, score: Floats, segment: npt.NDArray[np.object_]
) -> dict[str, dict[str, float]]:
    """The numbers that need no daily budget, of the largest segments with enough frauds."""
    names, place, size = np.unique(
        [str(name) for name in segment], return_inverse=True, return_counts=True
    )
    found: dict[str, dict[str, float]] = {}
    for number in np.argsort(-size)[:LARGEST_SEGMENTS].tolist():
        is_in = place == number
        frauds = int(judged.is_fraud[is_in].sum())
        if frauds >= FEWEST_FRAUDS_OF_A_SEGMENT:
            found[str(names[number])] = {
                "purchases": int(size[number]),
                "frauds": frauds,
                "average_precision": ranking.average_precision(
                    score[is_in], judged.is_fraud[is_in]
                ),
                "recall_at_fpr_0_01": ranking.recall_at_fpr(
                    score[is_in], judged.is_fraud[is_in], 0.01
                ),
            }
    return found


def over_folds(folds: Iterable[Numbers]) -> dict[str, MeanAndSpread]:
    """Mean and standard deviation of each number over the folds in which it could be told."""
    known = list(folds)
    names = dict.fromkeys(name for fold in known for name in fold)
    return {name: _over([fold[name] for fold in known if name in fold]) for name in names}


def _over(values: list[float]) -> MeanAndSpread:
    told = [value for value in values if not math.isnan(value)]
    if not told:
        return MeanAndSpread(float("nan"), float("nan"))
    spread = float(np.std(told, ddof=1)) if len(told) > 1 else float("nan")
    return MeanAndSpread(float(np.mean(told)), spread)


def part_of(judged: Judged, chosen: Flags) -> Judged:
    """Some of the purchases."""
    return Judged(
        transaction=judged.transaction[chosen],
        card=judged.card[chosen],
        event_at_ms=judged.event_at_ms[chosen],
        eur_cents=judged.eur_cents[chosen],
        is_fraud=judged.is_fraud[chosen],
    )
