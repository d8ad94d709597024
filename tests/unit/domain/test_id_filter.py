from __future__ import annotations

from collections.abc import Iterable

from fraudwatch.domain.id_filter import (
    BYTES_PER_MILLION_IDS,
    KEPT_DAYS,
    MAX_FALSE_POSITIVE_RATIO,
    MAX_SEGMENTS,
    IdFilter,
)
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.samples import NOON_MS

SMALL_BYTES = MAX_SEGMENTS * 3 * 1_024  # segments of a thousand ids


def names(numbers: Iterable[int]) -> list[str]:
    return [f"shop:{number}" for number in numbers]


def segment_bytes(kept: IdFilter) -> int:
    return sum(len(segment.bits) * 8 for segment in kept.segments)


def test_a_full_filter_has_every_id_and_few_others_at_three_bytes_an_id() -> None:
    kept = IdFilter(SMALL_BYTES)
    ids = names(range(64_000))
    added = kept.add(ids, NOON_MS)
    assert kept.maybe(ids) == ids
    assert len(kept.segments) == MAX_SEGMENTS - 1 or len(kept.segments) == MAX_SEGMENTS
    assert added == kept.ids > 0.99 * len(ids)
    assert segment_bytes(kept) <= SMALL_BYTES
    assert segment_bytes(kept) < len(ids) * BYTES_PER_MILLION_IDS / 1_000_000 * 1.05
    others = [f"other:{number}" for number in range(20_000)]
    assert 0 < len(kept.maybe(others)) < MAX_FALSE_POSITIVE_RATIO * len(others)


def test_an_empty_filter_has_nothing_and_a_repeated_id_is_counted_once() -> None:
    kept = IdFilter(SMALL_BYTES)
    assert (kept.maybe(names(range(9))), kept.ids, kept.since_ms) == ([], 0, None)
    assert kept.add(["shop:1", "shop:2", "shop:1"], NOON_MS) == 2
    assert (kept.ids, kept.since_ms) == (2, NOON_MS)


def test_an_id_is_kept_for_35_days_and_not_much_longer() -> None:
    kept = IdFilter(SMALL_BYTES)
    for day in range(KEPT_DAYS + 3):
        kept.add([f"day:{day}"], NOON_MS + day * DAY_MS)
    last_ms = NOON_MS + (KEPT_DAYS + 2) * DAY_MS
    assert kept.maybe(["day:0", "day:1", "day:2", "day:37"]) == ["day:2", "day:37"]
    assert kept.since_ms == last_ms - KEPT_DAYS * DAY_MS


def test_beyond_its_limit_the_oldest_ids_go_first() -> None:
    kept = IdFilter(SMALL_BYTES)
    for start in range(0, 80_000, 1_000):
        kept.add(names(range(start, start + 1_000)), NOON_MS + start)
    assert len(kept.segments) <= MAX_SEGMENTS
    assert kept.maybe(names(range(79_000, 80_000))) == names(range(79_000, 80_000))
    assert len(kept.maybe(names(range(1_000)))) < 50
    assert (kept.since_ms or 0) > NOON_MS


def test_a_larger_limit_keeps_the_ids_of_before() -> None:
    small = IdFilter(SMALL_BYTES)
    small.add(names(range(500)), NOON_MS)
    large = IdFilter(10 * SMALL_BYTES, small.segments)
    large.add(names(range(500, 1_000)), NOON_MS + DAY_MS)
    assert large.maybe(names(range(1_000))) == names(range(1_000))
    assert [len(segment.bits) for segment in large.segments] == [384, 3_840]
