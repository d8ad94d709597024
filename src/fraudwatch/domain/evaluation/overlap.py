"""Two policies on the same purchases: where they agree, and what each of them has alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudwatch.domain.evaluation.label_coverage import (
    APPROVED,
    OUTCOMES,
    UNJUDGED,
    Known,
    Places,
    Worth,
    worth,
)
from fraudwatch.domain.evaluation.labelled_scores import ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Over the purchases that both judged; an alert is an outcome other than approve."""

    judged_by_both: int
    both: Worth
    only_candidate: Worth
    only_live: Worth
    neither: Worth
    alert_overlap_ratio: float
    """Alerts of both over alerts of either (Jaccard); unknown where nobody has any."""
    same_outcome_ratio: float
    outcomes: dict[str, dict[str, int]]
    """Live outcome, then candidate's outcome, to purchases."""


def overlap(known: Known, candidate: Places, live: Places) -> Overlap:
    """Compare outcomes purchase by purchase."""
    is_compared = (candidate != UNJUDGED) & (live != UNJUDGED)
    known, candidate, live = known.among(is_compared), candidate[is_compared], live[is_compared]
    ours, theirs = candidate > APPROVED, live > APPROVED
    sides = len(OUTCOMES)
    pairs = live.astype(np.int64) * sides + candidate
    counts = np.bincount(pairs, minlength=sides * sides).reshape(sides, sides)
    return Overlap(
        judged_by_both=len(candidate),
        both=worth(known, ours & theirs),
        only_candidate=worth(known, ours & ~theirs),
        only_live=worth(known, ~ours & theirs),
        neither=worth(known, ~ours & ~theirs),
        alert_overlap_ratio=ratio((ours & theirs).sum(), (ours | theirs).sum()),
        same_outcome_ratio=ratio((candidate == live).sum(), len(candidate)),
        outcomes={
            str(was): {str(becomes): int(counts[i, j]) for j, becomes in enumerate(OUTCOMES)}
            for i, was in enumerate(OUTCOMES)
        },
    )
