from __future__ import annotations

import bisect
from collections.abc import Mapping

import pytest

from exporters.kafka_lag.message_times import MessageTimes
from fraudwatch.adapters.kafka_log.positions import Partition, TimedOffset

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000
PARTITION = Partition("t", 0)


class Log:
    """Partitions of messages with known times; counts the questions."""

    def __init__(self, times_ms: Mapping[Partition, list[int]]) -> None:
        self.times_ms, self.questions = times_ms, 0

    def first_since(self, asked: Mapping[Partition, int]) -> dict[Partition, TimedOffset | None]:
        self.questions += 1
        return {partition: self._first(partition, at) for partition, at in asked.items()}

    def _first(self, partition: Partition, at_ms: int) -> TimedOffset | None:
        times = self.times_ms[partition]
        offset = bisect.bisect_left(times, at_ms)
        return TimedOffset(offset, times[offset]) if offset < len(times) else None


def every(step_ms: int, count: int, newest_ms: int = NOW_MS) -> list[int]:
    return [newest_ms - step_ms * (count - 1 - n) for n in range(count)]


@pytest.mark.parametrize("step_ms", [1, 7, 333, 60_000, 6 * 3_600_000])
@pytest.mark.parametrize("offset", [0, 1, 50, 98, 99])
def test_an_age_is_exact_to_a_hundredth_or_a_tenth_of_a_second(step_ms: int, offset: int) -> None:
    log = Log({PARTITION: every(step_ms, 100)})
    found = MessageTimes(log.first_since).find_ms("r", {PARTITION: offset}, NOW_MS)[PARTITION]
    age, exact = NOW_MS - found, NOW_MS - log.times_ms[PARTITION][offset]
    # It may be older than true, never younger.
    assert exact <= age <= exact + max(100, 0.011 * exact) + 1
    assert log.questions <= 20


def test_a_reader_that_waits_costs_no_more_questions_and_one_that_moves_few() -> None:
    log = Log({PARTITION: every(1000, 10_000)})
    times = MessageTimes(log.first_since)
    first = times.find_ms("r", {PARTITION: 100}, NOW_MS)
    questions = log.questions
    assert times.find_ms("r", {PARTITION: 100}, NOW_MS + 5000) == first
    assert log.questions == questions
    times.find_ms("r", {PARTITION: 9_990}, NOW_MS + 10_000)
    assert log.questions - questions <= 12
    # Positions that were set back are found again as well.
    assert times.find_ms("r", {PARTITION: 10}, NOW_MS)[PARTITION] <= log.times_ms[PARTITION][10]


def test_partitions_are_searched_at_the_same_time() -> None:
    other = Partition("u", 1)
    log = Log({PARTITION: every(1000, 1000), other: every(DAY_MS, 30)})
    found = MessageTimes(log.first_since).find_ms("r", {PARTITION: 5, other: 3}, NOW_MS)
    assert NOW_MS - found[other] == pytest.approx(26 * DAY_MS, rel=0.011)
    assert NOW_MS - found[PARTITION] == pytest.approx(994_000, rel=0.011)
    assert log.questions <= 20


def test_messages_of_one_time_and_a_clock_that_is_ahead_end_the_search() -> None:
    log = Log({PARTITION: [NOW_MS + 60_000] * 10})
    found = MessageTimes(log.first_since).find_ms("r", {PARTITION: 5}, NOW_MS)[PARTITION]
    assert abs(found - NOW_MS) <= 100
