"""Summarise a day's drift for metrics: PSI by subject, number of features past the bound."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from fraudwatch.domain.evaluation.drift import DriftMetric, DriftStatus, Measure, Share

_SUBJECTS = {DriftMetric.SCORE: "score", DriftMetric.FEATURE: "features"}
_COMPARED = (DriftStatus.QUIET, DriftStatus.PAST_BOUND)
_HALF_A_ROW = 0.5


def psi_by_subject(measures: Iterable[Measure]) -> Mapping[str, float]:
    """Return the largest PSI of the scores and of the features, and that of the alert rate.

    A subject with too few rows is left out, and so are features that are not compared.
    """
    found = dict[str, float]()
    for one in measures:
        if one.judgement not in _COMPARED:
            continue
        if one.what is DriftMetric.ALERT_RATE:
            found["alerts"] = share_index(*_shares(one))
        elif (subject := _SUBJECTS.get(one.what)) and one.value is not None:
            found[subject] = max(one.value, found.get(subject, 0.0))
    return found


def features_moved(measures: Iterable[Measure]) -> int:
    """Count the features that are past their bound."""
    return sum(
        one.what is DriftMetric.FEATURE and one.judgement is DriftStatus.PAST_BOUND
        for one in measures
    )


def share_index(reference: Share, actual: Share) -> float:
    """Return the PSI of a share, whose two bins are its hits and the other rows."""
    expected, found = (
        (share.hits + _HALF_A_ROW) / (share.rows + 2 * _HALF_A_ROW) for share in (reference, actual)
    )
    odds = found / (1.0 - found) * (1.0 - expected) / expected
    return (found - expected) * math.log(odds)


def _shares(measure: Measure) -> tuple[Share, Share]:
    def share(ratio: float | None, rows: int) -> Share:
        return Share(round((ratio or 0.0) * rows), rows)

    return (
        share(measure.reference_value, measure.reference_rows),
        share(measure.value, measure.rows),
    )
