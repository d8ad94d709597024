from __future__ import annotations

import numpy as np

from fraudwatch.domain.evaluation.whole_days import on_whole_days


def test_only_days_that_are_nearly_covered_count() -> None:
    day = np.repeat([3, 4, 5], 20)
    covered = np.ones(60, np.bool_)
    covered[[0, 20, 21]] = False  # one of twenty, and two of twenty
    found = on_whole_days(day, covered)
    assert [int(found[day == one].sum()) for one in (3, 4, 5)] == [19, 0, 20]
    assert not on_whole_days(day, np.zeros(60, np.bool_)).any()
    assert on_whole_days(day[:0], covered[:0]).shape == (0,)
