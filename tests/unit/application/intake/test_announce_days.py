from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.memory.verdict_store import MemoryTopic
from fraudwatch.application.intake.announce_days import MOST_DAYS_BACK, DayAnnouncer
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.messages.control import ControlMessage, day_closed
from streaming.ingest.days import day_announcer

HOUR_MS = 3_600_000


def ms(text: str) -> int:
    return epoch_ms_of(datetime.fromisoformat(text).replace(tzinfo=UTC))


class Told:
    """An announcer over a memory topic and a clock that a test sets."""

    def __init__(self, folder: Path, now: str) -> None:
        self.topic, self.now_ms, self._file = MemoryTopic(), ms(now), folder / "days.json"
        self.announcer = self.again()

    def again(self) -> DayAnnouncer:
        return day_announcer(self.topic, self._file, lambda: self.now_ms)

    def feed(self, *times: str, is_at_head: bool = False) -> list[str]:
        """The days that are announced now."""
        before = len(self.topic.messages)
        self.announcer.passed([ms(time) for time in times], is_at_head=is_at_head)
        return [key for key, _, _ in self.topic.messages[before:]]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path, "2026-11-21T10:00")


def test_the_first_purchase_of_a_later_day_closes_the_day_before(told: Told) -> None:
    assert told.feed("2026-11-19T23:50", "2026-11-19T23:59") == []
    assert told.feed("2026-11-19T23:59:59", "2026-11-20T00:00") == ["2026-11-19"]
    assert told.feed("2026-11-20T00:01") == []
    [(key, value, at_ms)] = told.topic.messages
    assert (key, at_ms) == ("2026-11-19", told.now_ms)
    assert value == b'{"schema":"control.v1","kind":"day_closed","day":"2026-11-19"}'
    assert decode(ControlMessage, value) == day_closed("2026-11-19")


def test_midnight_closes_a_day_when_the_feed_is_at_its_head(told: Told) -> None:
    told.feed("2026-11-20T23:00")
    told.now_ms = ms("2026-11-20T23:59:59")
    assert told.feed(is_at_head=True) == []
    told.now_ms = ms("2026-11-21T00:00")
    assert told.feed(is_at_head=False) == []
    assert told.feed(is_at_head=True) == ["2026-11-20"]
    assert told.feed(is_at_head=True) == []


def test_days_without_purchases_are_closed_as_well(told: Told) -> None:
    told.feed("2026-11-17T08:00")
    assert told.feed("2026-11-20T08:00") == ["2026-11-17", "2026-11-18", "2026-11-19"]


def test_a_long_history_is_announced_once_and_not_beyond_a_bound(told: Told) -> None:
    day = date(2025, 11, 1)
    said: list[str] = []
    while day <= date(2026, 11, 21):
        said += told.feed(f"{day.isoformat()}T08:00")
        day += timedelta(days=1)
    assert len(said) == len(set(said)) == MOST_DAYS_BACK
    assert (said[0], said[-1]) == ("2026-10-12", "2026-11-20")


def test_an_ingest_that_starts_again_goes_on_where_it_was(told: Told) -> None:
    told.feed("2026-11-18T08:00", "2026-11-20T08:00")
    told.announcer = told.again()
    assert told.feed("2026-11-20T09:00") == []
    assert told.feed("2026-11-21T00:00") == ["2026-11-20"]


def test_a_broker_that_is_away_holds_nothing_up_and_loses_nothing(told: Told) -> None:
    told.feed("2026-11-19T08:00")
    told.topic.is_reachable = False
    assert told.feed("2026-11-20T08:00") == []
    told.topic.is_reachable = True
    assert told.feed("2026-11-20T08:01") == [], "not with each page"
    told.now_ms += 31_000
    assert told.feed("2026-11-20T08:02") == ["2026-11-19"]


def test_a_process_that_died_before_it_remembered_says_it_again(tmp_path: Path) -> None:
    told = Told(tmp_path, "2026-11-21T10:00")
    told.feed("2026-11-19T08:00")
    unremembering = DayAnnouncer(
        told.topic, encode, lambda: told.now_ms, lambda _: None, date(2026, 11, 19)
    )
    unremembering.passed([ms("2026-11-20T08:00")], is_at_head=False)
    assert told.again().open_day == date(2026, 11, 19)
    told.announcer = told.again()
    assert told.feed("2026-11-20T08:01") == ["2026-11-19"]


def test_a_clock_in_the_future_closes_no_day(told: Told) -> None:
    told.feed("2026-11-21T08:00")
    assert told.feed("2026-12-24T08:00", "2099-01-01T00:00") == []
    assert told.feed("2026-11-21T09:00", is_at_head=True) == []


def test_nothing_is_said_before_the_first_purchase(told: Told) -> None:
    assert told.feed(is_at_head=True) == []
