from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.domain.lake.offset_ranges import Coverage, OffsetRange, lost_ranges, ranges_text

TEN_TO_TWENTY = OffsetRange(1, 10, 20)


@pytest.mark.parametrize(
    ("positions", "starts", "lost"),
    [
        ({0: 5, 1: 7}, {0: 5, 1: 0}, []),
        ({0: 5, 1: 7}, {0: 9, 1: 0}, [OffsetRange(0, 5, 9)]),
        ({1: 7, 0: 0}, {0: 1, 1: 8}, [OffsetRange(0, 0, 1), OffsetRange(1, 7, 8)]),
        ({0: 5}, {0: 5, 1: 900}, []),  # partition 1 is read from its start
        ({2: 5}, {0: 9}, []),
    ],
)
def test_lost_is_from_the_position_to_the_start_of_the_topic(
    positions: dict[int, int], starts: dict[int, int], lost: list[OffsetRange]
) -> None:
    assert lost_ranges(positions, starts) == lost


@pytest.mark.parametrize(
    ("offsets", "missing"),
    [
        (range(10, 20), []),
        ((), [TEN_TO_TWENTY]),
        ((12, 13, 15, 19), [(1, 10, 12), (1, 14, 15), (1, 16, 19)]),
        ((10, 11), [(1, 12, 20)]),
    ],
)
def test_what_did_not_come_is_missing(
    offsets: Sequence[int], missing: list[tuple[int, int, int]]
) -> None:
    coverage = Coverage(TEN_TO_TWENTY)
    assert all(coverage.add(offset) for offset in offsets)
    assert coverage.missing() == missing == coverage.missing()


@given(st.sets(st.integers(10, 19)))
def test_every_offset_came_or_is_missing(present: set[int]) -> None:
    coverage = Coverage(TEN_TO_TWENTY)
    for offset in sorted(present):
        coverage.add(offset)
    missing = [offset for one in coverage.missing() for offset in range(one.start, one.end)]
    assert sorted([*present, *missing]) == list(range(10, 20))


def test_a_copy_and_what_is_outside_are_not_added() -> None:
    coverage = Coverage(TEN_TO_TWENTY)
    added = [offset for offset in (9, 10, 10, 19, 20) if coverage.add(offset)]
    assert added == [10, 19]
    assert coverage.missing() == [(1, 11, 19)]


def test_ranges_are_named_by_their_first_and_last_offset() -> None:
    text = ranges_text("fraud_topic", [TEN_TO_TWENTY, OffsetRange(0, 3, 4)])
    assert text == "fraud_topic-1 offsets 10 to 19, fraud_topic-0 offsets 3 to 3"
