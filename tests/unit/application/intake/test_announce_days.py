from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.memory.verdict_store import MemoryTopic
from fraudwatch.application.intake.announce_days import MAX_DAYS_BACK, DayAnnouncer
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.messages.control import ControlMessage, day_closed
from streaming.ingest.days import day_announcer

HOUR_MS = 3_600_000


def ms(text: str) -> int:
    return epoch_ms_of(datetime.fromisoformat(text).replace(tzinfo=UTC))


class World:
    """Announcer over a memory topic and a settable clock."""

    def __init__(self, folder: Path, now: str) -> None:
        self.topic, self.now_ms, self._file = MemoryTopic(), ms(now), folder / "days.json"
        self.announcer = self.restarted()

    def restarted(self) -> DayAnnouncer:
        return day_announcer(self.topic, self._file, lambda: self.now_ms)

    def feed(self, *times: str, is_at_head: bool = False) -> list[str]:
        """Feed event times; return the days announced by them."""
        before = len(self.topic.messages)
        self.announcer.advance([ms(time) for time in times], is_at_head=is_at_head)
        return [key for key, _, _ in self.topic.messages[before:]]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, "2026-11-21T10:00")


def test_the_first_purchase_of_a_later_day_closes_the_day_before(world: World) -> None:
    assert world.feed("2026-11-19T23:50", "2026-11-19T23:59") == []
    assert world.feed("2026-11-19T23:59:59", "2026-11-20T00:00") == ["2026-11-19"]
    assert world.feed("2026-11-20T00:01") == []
    [(key, value, at_ms)] = world.topic.messages
    assert (key, at_ms) == ("2026-11-19", world.now_ms)
    assert value == b'{"schema":"control.v1","kind":"day_closed","day":"2026-11-19"}'
    assert decode(ControlMessage, value) == day_closed("2026-11-19")


def test_midnight_closes_a_day_when_the_feed_is_at_its_head(world: World) -> None:
    world.feed("2026-11-20T23:00")
    world.now_ms = ms("2026-11-20T23:59:59")
    assert world.feed(is_at_head=True) == []
    world.now_ms = ms("2026-11-21T00:00")
    assert world.feed(is_at_head=False) == []
    assert world.feed(is_at_head=True) == ["2026-11-20"]
    assert world.feed(is_at_head=True) == []


def test_days_without_purchases_are_closed_as_well(world: World) -> None:
    world.feed("2026-11-17T08:00")
    assert world.feed("2026-11-20T08:00") == ["2026-11-17", "2026-11-18", "2026-11-19"]


def test_a_long_history_is_announced_once_and_not_beyond_a_bound(world: World) -> None:
    day = date(2025, 11, 1)
    announced: list[str] = []
    while day <= date(2026, 11, 21):
        announced += world.feed(f"{day.isoformat()}T08:00")
        day += timedelta(days=1)
    assert len(announced) == len(set(announced)) == MAX_DAYS_BACK
    assert (announced[0], announced[-1]) == ("2026-10-12", "2026-11-20")


def test_a_restarted_ingest_resumes_at_its_open_day(world: World) -> None:
    world.feed("2026-11-18T08:00", "2026-11-20T08:00")
    world.announcer = world.restarted()
    assert world.feed("2026-11-20T09:00") == []
    assert world.feed("2026-11-21T00:00") == ["2026-11-20"]


def test_an_unavailable_broker_blocks_nothing_and_loses_nothing(world: World) -> None:
    world.feed("2026-11-19T08:00")
    world.topic.is_reachable = False
    assert world.feed("2026-11-20T08:00") == []
    world.topic.is_reachable = True
    assert world.feed("2026-11-20T08:01") == [], "not with each page"
    world.now_ms += 31_000
    assert world.feed("2026-11-20T08:02") == ["2026-11-19"]


def test_a_process_that_died_before_saving_announces_again(tmp_path: Path) -> None:
    world = World(tmp_path, "2026-11-21T10:00")
    world.feed("2026-11-19T08:00")
    unremembering = DayAnnouncer(
        world.topic, encode, lambda: world.now_ms, lambda _: None, date(2026, 11, 19)
    )
    unremembering.advance([ms("2026-11-20T08:00")], is_at_head=False)
    assert world.restarted().open_day == date(2026, 11, 19)
    world.announcer = world.restarted()
    assert world.feed("2026-11-20T08:01") == ["2026-11-19"]


def test_a_clock_in_the_future_closes_no_day(world: World) -> None:
    world.feed("2026-11-21T08:00")
    assert world.feed("2026-12-24T08:00", "2099-01-01T00:00") == []
    assert world.feed("2026-11-21T09:00", is_at_head=True) == []


def test_nothing_is_announced_before_the_first_purchase(world: World) -> None:
    assert world.feed(is_at_head=True) == []
