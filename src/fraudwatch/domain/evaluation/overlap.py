"""Compare two policies on the same purchases: common alerts, and alerts of one alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudwatch.domain.evaluation.label_coverage import (
    APPROVED,
    OUTCOMES,
    UNSCORED,
    LabelledMetrics,
    LabelMask,
    OutcomeCodes,
    labelled_metrics,
)
from fraudwatch.domain.evaluation.labelled_scores import ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Overlap on the purchases that both scored; an alert is an outcome other than approve."""

    judged_by_both: int
    both: LabelledMetrics
    only_candidate: LabelledMetrics
    only_live: LabelledMetrics
    neither: LabelledMetrics
    alert_overlap_ratio: float
    """Alerts of both over alerts of either (Jaccard); unknown without any alert."""
    same_outcome_ratio: float
    outcomes: dict[str, dict[str, int]]
    """Live outcome, then candidate's outcome, to purchases."""


def overlap(known: LabelMask, candidate: OutcomeCodes, live: OutcomeCodes) -> Overlap:
    """Compare outcomes purchase by purchase."""
    is_compared = (candidate != UNSCORED) & (live != UNSCORED)
    known, candidate, live = known.among(is_compared), candidate[is_compared], live[is_compared]
    ours, theirs = candidate > APPROVED, live > APPROVED
    sides = len(OUTCOMES)
    pairs = live.astype(np.int64) * sides + candidate
    counts = np.bincount(pairs, minlength=sides * sides).reshape(sides, sides)
    return Overlap(
        judged_by_both=len(candidate),
        both=labelled_metrics(known, ours & theirs),
        only_candidate=labelled_metrics(known, ours & ~theirs),
        only_live=labelled_metrics(known, ~ours & theirs),
        neither=labelled_metrics(known, ~ours & ~theirs),
        alert_overlap_ratio=ratio((ours & theirs).sum(), (ours | theirs).sum()),
        same_outcome_ratio=ratio((candidate == live).sum(), len(candidate)),
        outcomes={
            str(was): {str(becomes): int(counts[i, j]) for j, becomes in enumerate(OUTCOMES)}
            for i, was in enumerate(OUTCOMES)
        },
    )
