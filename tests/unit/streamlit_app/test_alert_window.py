"""The window of alerts: no alert is lost, however late it is written."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.alerts import Alert
from fraudwatch.application.ports import StoreUnavailable
from streamlit_app.live.window import REACH, AlertWindow, Arrival, WindowSnapshot
from tests.unit.streamlit_app.live_world import NOON, NOON_MS, a_live_verdict, ms

HOUR = 3_600


@dataclass
class Watched:
    """A window over a memory store, and the limits and ranges that it asked for."""

    max_alerts: int = 20_000
    store: MemoryVerdictStore = field(default_factory=MemoryVerdictStore)
    asked: list[tuple[datetime, datetime, int]] = field(default_factory=list)
    window: AlertWindow = field(init=False)

    def __post_init__(self) -> None:
        self.window = AlertWindow(self, self.max_alerts)  # type: ignore[arg-type]

    def decided_between(self, since: datetime, until: datetime, *, limit: int) -> list[Alert]:
        self.asked.append((since, until, limit))
        return self.store.decided_between(since, until, limit=limit)

    def write(self, age_seconds: float, name: str, *, at: datetime = NOON) -> None:
        decided_at_ms = ms(at) - int(age_seconds * 1_000)
        self.store.write([a_live_verdict(decided_at_ms, name)], [])

    def snapshot(self) -> WindowSnapshot:
        snapshot = self.window.snapshot()
        assert snapshot is not None
        return snapshot

    def names(self) -> list[str]:
        return [alert.merchant_id for alert in self.snapshot().alerts]


def test_before_the_first_answer_there_is_nothing() -> None:
    assert Watched().window.snapshot() is None


def test_the_first_answer_is_short_and_the_older_ones_come_behind_it() -> None:
    watched = Watched()
    for n in range(300):
        watched.write(n * 60, f"m{n}")
    watched.write(6 * 24 * HOUR, "days")
    watched.window.read_newest(NOON)
    assert watched.names() == [f"m{n}" for n in range(200)]
    # The last one's millisecond may be cut: what is whole begins after it.
    assert watched.snapshot().since_ms == NOON_MS - 199 * 60_000 + 1
    watched.window.read_back(NOON)
    assert watched.names() == [*(f"m{n}" for n in range(300)), "days"]
    assert watched.snapshot().since_ms == ms(NOON - REACH)


def test_each_refresh_asks_for_the_last_minute_alone() -> None:
    watched = Watched()
    watched.window.read_newest(NOON)
    watched.window.read_newest(NOON + timedelta(seconds=1))
    since, until, _ = watched.asked[-1]
    assert since == NOON - timedelta(minutes=1)
    # An alert of a detector whose clock is ahead is read as well.
    assert until == datetime(2026, 3, 1, 13, tzinfo=NOON.tzinfo)


def test_latency_is_measured_while_the_list_is_open() -> None:
    watched = Watched()
    now = NOON
    watched.write(1, "before")
    watched.window.read_newest(now)
    assert watched.snapshot().arrivals == ()
    now += timedelta(seconds=1)
    watched.write(0.4, "judged", at=now)  # its purchase was .12 s before that
    watched.write(30, "late", at=now)
    watched.window.read_newest(now)
    now += timedelta(seconds=1)
    watched.window.read_newest(now)
    read_at_ms = NOON_MS + 1_000
    assert watched.snapshot().arrivals == (Arrival(read_at_ms, 520), Arrival(read_at_ms, 30_120))
    now += timedelta(seconds=6)
    watched.write(3, "unwatched", at=now)
    watched.window.read_newest(now)
    assert len(watched.snapshot().arrivals) == 2


def test_an_alert_of_a_clock_ahead_is_read() -> None:
    watched = Watched()
    watched.write(-90, "ahead")
    watched.window.read_newest(NOON)
    assert watched.names() == ["ahead"]


@pytest.mark.parametrize("late_seconds", [30, 59 * 60, 119 * 60, 3 * HOUR, 100 * HOUR])
def test_a_row_is_found_however_late_it_is_written(late_seconds: int) -> None:
    watched = Watched()
    now = NOON
    for _ in range(3):
        watched.window.read_newest(now)
        watched.window.read_back(now)
        now += timedelta(seconds=30)
    watched.write(late_seconds, "late", at=now)
    for _ in range(32):  # sixteen minutes
        now += timedelta(seconds=30)
        watched.window.read_newest(now)
        watched.window.read_back(now)
    assert watched.names() == ["late"]


def test_no_row_of_a_lagging_persister_is_lost() -> None:
    dice = random.Random(7)
    watched = Watched()
    written: list[tuple[float, float, str]] = sorted(
        (decided + dice.choice([0, 2, 50, 70, 1_000, 5_000]), decided, f"m{n}")
        for n in range(400)
        for decided in [dice.uniform(0, 1_800)]
    )
    for second in range(0, 9_000, 5):
        now = NOON + timedelta(seconds=second)
        while written and written[0][0] <= second:
            _, decided, name = written.pop(0)
            watched.write(second - decided, name, at=now)
        watched.window.read_newest(now)
        if second % 30 == 0:
            watched.window.read_back(now)
    assert sorted(watched.names()) == sorted(f"m{n}" for n in range(400))
    times = [alert.decided_at_ms for alert in watched.snapshot().alerts]
    assert times == sorted(times, reverse=True)


def test_a_long_pause_is_caught_up() -> None:
    watched = Watched()
    watched.write(0, "evening")
    watched.window.read_newest(NOON)
    watched.window.read_back(NOON)
    morning = NOON + timedelta(hours=12)
    for n in range(500):
        watched.write(n * 60, f"m{n}", at=morning)
    watched.window.read_newest(morning)
    assert len(watched.names()) == 201
    # The hole is no secret until it is filled.
    assert watched.snapshot().since_ms > ms(morning) - 200 * 60_000
    watched.window.read_back(morning)
    assert watched.names() == [*(f"m{n}" for n in range(500)), "evening"]


def test_alerts_after_an_outage_are_caught_up() -> None:
    watched = Watched()
    watched.window.read_newest(NOON)
    watched.store.is_reachable = False
    with pytest.raises(StoreUnavailable):
        watched.window.read_newest(NOON + timedelta(minutes=1))
    assert watched.snapshot().read_at_ms == NOON_MS
    watched.store.is_reachable = True
    back = NOON + timedelta(minutes=9)
    watched.write(500, "meanwhile", at=back)
    watched.window.read_newest(back)
    assert watched.names() == ["meanwhile"]


def test_the_window_keeps_the_newest_alerts_up_to_its_maximum() -> None:
    watched = Watched(max_alerts=10)
    for n in range(25):
        watched.write(n, f"m{n}")
    watched.window.read_newest(NOON)
    watched.window.read_back(NOON)
    assert watched.names() == [f"m{n}" for n in range(10)]
    assert watched.snapshot().since_ms == NOON_MS - 9_000 + 1
    later = NOON + timedelta(seconds=5)
    watched.write(0, "new", at=later)
    watched.window.read_newest(later)
    assert watched.names() == ["new", *(f"m{n}" for n in range(9))]


def test_alerts_older_than_seven_days_are_dropped() -> None:
    watched = Watched()
    watched.write(6.9 * 24 * HOUR, "old")
    watched.window.read_newest(NOON)
    watched.window.read_back(NOON)
    assert watched.names() == ["old"]
    later = NOON + timedelta(hours=5)
    watched.write(0, "new", at=later)
    watched.window.read_newest(later)
    assert watched.names() == ["new"]


def test_a_rescored_transaction_is_one_alert_the_later_one() -> None:
    watched = Watched()
    watched.store.write([a_live_verdict(NOON_MS - 9_000, "m", score=0.1)], [])
    watched.window.read_newest(NOON)
    watched.store.write([a_live_verdict(NOON_MS - 1_000, "m", score=0.9)], [])
    watched.window.read_newest(NOON + timedelta(seconds=1))
    watched.window.read_back(NOON + timedelta(seconds=1))
    assert [alert.score for alert in watched.snapshot().alerts] == [0.9]


def test_alerts_deleted_from_the_store_leave_the_window() -> None:
    watched = Watched()
    for n in range(3):
        watched.write(n * HOUR * 20, f"m{n}")
    watched.window.read_newest(NOON)
    watched.window.read_back(NOON)
    watched.store._alerts = {
        key: alert for key, alert in watched.store._alerts.items() if alert.merchant_id != "m1"
    }
    watched.window.read_back(NOON + timedelta(minutes=15))
    assert watched.names() == ["m0", "m2"]


def test_many_threads_read_consistent_snapshots() -> None:
    watched = Watched(max_alerts=500)
    stop = threading.Event()

    def watch() -> int:
        looks = 0
        while not stop.is_set():
            snapshot = watched.window.snapshot()
            if snapshot is not None:
                times = [alert.decided_at_ms for alert in snapshot.alerts]
                assert times == sorted(times, reverse=True)
                assert len(times) <= 500
                looks += 1
        return looks

    with ThreadPoolExecutor(4) as threads:
        watching = [threads.submit(watch) for _ in range(2)]
        for n in range(300):
            now = NOON + timedelta(seconds=n)
            watched.store.write([a_live_verdict(ms(now), f"m{n}")], [])
            for job in [
                threads.submit(watched.window.read_newest, now),
                threads.submit(watched.window.read_back, now),
            ]:
                job.result()
        stop.set()
        assert all(one.result() > 0 for one in watching)
    assert len(watched.names()) == 300
