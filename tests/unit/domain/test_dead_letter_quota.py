from __future__ import annotations

import pytest

from fraudwatch.domain.dead_letter_quota import MinuteCounts, QuotaLimits
from fraudwatch.samples import NOON_MS

LIMITS = QuotaLimits(per_minute=100, share_ratio=0.2)


@pytest.mark.parametrize(
    ("messages", "dead_letters", "is_exceeded"),
    [
        (100, 100, False),  # a quiet source: all bad, and not more than the number
        (101, 101, True),
        (505, 101, False),  # a fifth is the limit, not beyond it
        (504, 101, True),
        (60_000, 5_000, False),  # a busy source
    ],
)
def test_both_limits_must_be_exceeded(messages: int, dead_letters: int, is_exceeded: bool) -> None:  # noqa: FBT001  a case
    assert LIMITS.are_exceeded(messages, dead_letters) is is_exceeded


def test_a_share_of_one_is_never_exceeded() -> None:
    assert not QuotaLimits(per_minute=0, share_ratio=1.0).are_exceeded(10**6, 10**6)


def test_what_is_older_than_a_minute_no_longer_counts() -> None:
    counts = MinuteCounts()
    for second in range(90):
        counts.add(10, 1, NOON_MS + second * 1_000)
    assert (counts.messages, counts.dead_letters) == (600, 60)
    counts.add(1, 1, NOON_MS + 3_600_000)
    assert (counts.messages, counts.dead_letters) == (1, 1)


def test_a_clock_that_steps_back_loses_no_count() -> None:
    counts = MinuteCounts()
    counts.add(5, 5, NOON_MS)
    counts.add(5, 5, NOON_MS - 600_000)
    assert (counts.messages, counts.dead_letters) == (10, 10)
