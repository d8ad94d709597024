from __future__ import annotations

from dataclasses import replace

import pytest

from fraudwatch.stack.incidents import RETRY_SECONDS, Findings, Incidents, Observed

HUNG_SECONDS = 300.0
CHECK_SECONDS = 15.0
READY = Observed(name="console", state="RUNNING", is_ready=True, uptime_seconds=1_000)
FATAL = Observed(name="console", state="FATAL", is_ready=False)
HANGING = Observed(name="console", state="RUNNING", is_ready=False, uptime_seconds=9_000)


class World:
    """A clock and one service that is checked every 15 seconds."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.incidents = Incidents(HUNG_SECONDS)

    def check(self, one: Observed) -> Findings:
        return self.incidents.check([one], self.now)

    def restarts_within(self, one: Observed, seconds: float) -> list[float]:
        """Check until then, restart whatever is due, and return the times since the start."""
        began, found = self.now, []
        while self.now <= began + seconds:
            for incident in self.check(one).due:
                self.incidents.note_restart(incident.service, self.now)
                found.append(self.now - began)
            self.now += CHECK_SECONDS
        return found


def test_a_ready_service_is_no_incident() -> None:
    world = World()
    assert world.check(READY) == Findings((), (), ())


def test_a_service_that_was_given_up_is_restarted_with_growing_delays() -> None:
    world = World()
    [opened] = world.check(FATAL).opened
    assert (opened.kind, opened.began_at) == ("given up", 1_000.0)
    assert world.restarts_within(FATAL, 4_000) == [60, 180, 480, 1_380, 2_280, 3_180]
    assert world.check(FATAL).opened == ()
    assert RETRY_SECONDS == (60, 120, 300, 900)


def test_a_recovery_is_found_once_and_only_after_a_steady_time() -> None:
    world = World()
    world.check(FATAL)
    assert world.check(replace(READY, uptime_seconds=10)).recovered == ()
    [recovered] = world.check(replace(READY, uptime_seconds=31)).recovered
    assert recovered.service == "console"
    assert world.check(READY) == Findings((), (), ())


def test_a_hung_service_is_restarted_after_the_limit_and_has_time_to_start_again() -> None:
    world = World()
    assert world.restarts_within(HANGING, HUNG_SECONDS - CHECK_SECONDS) == []
    [restart] = world.check(HANGING).due
    assert restart.kind == "hung"
    world.incidents.note_restart("console", world.now)
    world.now += 120
    restarted = replace(HANGING, uptime_seconds=119)
    assert world.check(restarted).due == ()
    assert len(world.check(replace(restarted, uptime_seconds=HUNG_SECONDS)).due) == 1


def test_a_slow_start_is_not_hung() -> None:
    world = World()
    slow = replace(HANGING, uptime_seconds=400, ready_seconds=420)
    assert world.restarts_within(slow, 400) == []
    assert world.incidents.open == ()


def test_a_crash_loop_is_not_hung_because_each_process_is_young() -> None:
    world = World()
    assert world.restarts_within(replace(HANGING, uptime_seconds=3), 3_000) == []


@pytest.mark.parametrize("one", [FATAL, HANGING])
def test_nothing_is_restarted_while_a_need_is_not_ready(one: Observed) -> None:
    world = World()
    waiting = replace(one, needs_ready=False)
    assert world.restarts_within(waiting, 2_000) == []


def test_a_service_whose_need_came_back_is_restarted_at_once() -> None:
    world = World()
    world.restarts_within(replace(FATAL, needs_ready=False), 2_000)
    assert len(world.check(FATAL).due) == 1


def test_what_a_person_stopped_is_left_alone() -> None:
    world = World()
    world.check(FATAL)
    stopped = replace(FATAL, state="STOPPED")
    assert world.check(stopped) == Findings((), (), ())
    assert world.restarts_within(stopped, 2_000) == []
    assert world.incidents.unready_seconds("console", world.now) == 0


def test_open_incidents_survive_a_restart_of_the_watchdog() -> None:
    world = World()
    world.check(FATAL)
    world.incidents = Incidents(HUNG_SECONDS, world.incidents.open)
    assert world.check(FATAL).opened == ()
    assert world.restarts_within(FATAL, 70) == [60]


def test_time_spent_waiting_for_a_need_does_not_count_as_hung() -> None:
    world = World()
    world.restarts_within(replace(HANGING, needs_ready=False), 2_000)
    assert world.check(HANGING).opened == ()
