from __future__ import annotations

import numpy as np
import pytest

from fraudwatch.domain.evaluation.drift import (
    DriftMetric,
    Measure,
    Share,
    alert_rate_measure,
    index_measure,
    performance_measure,
)
from fraudwatch.domain.evaluation.drift_summary import (
    features_moved,
    psi_by_subject,
    share_index,
)

USUAL, SHIFTED = np.arange(2_000.0), np.arange(2_000.0) + 900
FEW = np.arange(10.0)


def feature(name: str, actual: np.ndarray) -> Measure:
    return index_measure(DriftMetric.FEATURE, name, USUAL, actual)


def test_the_worst_of_each_subject_counts() -> None:
    measures = [
        feature("amount", SHIFTED),
        feature("item_count", USUAL),
        feature("day_of_week", SHIFTED * 3),  # expected to move
        index_measure(DriftMetric.SCORE, "score", USUAL, USUAL),
        index_measure(DriftMetric.SCORE, "model", USUAL, SHIFTED),
        alert_rate_measure(Share(100, 2_000), Share(400, 2_000)),
        performance_measure(DriftMetric.RECALL, Share(90, 100), Share(10, 100)),
    ]
    found = psi_by_subject(measures)
    assert found["features"] == measures[0].value
    assert found["score"] == measures[4].value
    assert found["alerts"] == pytest.approx(0.15 * np.log(4.75), abs=0.001)
    assert features_moved(measures) == 1


def test_subjects_with_too_few_rows_are_left_out() -> None:
    measures = [feature("amount", FEW), alert_rate_measure(Share(1, 10), Share(2, 10))]
    assert psi_by_subject(measures) == {}
    assert features_moved(measures) == 0


def test_the_index_of_a_share_is_that_of_two_bins() -> None:
    assert share_index(Share(10, 1_000), Share(10, 1_000)) == pytest.approx(0.0)
    expected, found = 100.5 / 1_001, 0.5 / 1_001
    by_bins = (found - expected) * np.log(found / expected)
    by_bins += (expected - found) * np.log((1 - found) / (1 - expected))
    assert share_index(Share(100, 1_000), Share(0, 1_000)) == pytest.approx(by_bins)
