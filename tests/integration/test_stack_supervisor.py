from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fraudwatch.stack import processes, supervisor, waiting
from fraudwatch.stack.catalogue import Catalogue, Launch, parse
from fraudwatch.stack.place import ROOT, Place, Unusable
from tests.waiting import eventually

SERVICES = """
[steady]
summary = "shows what it was given, then waits"
command = "/bin/sh -c 'env; echo 100%; exec sleep 60'"
[steady.environment]
GIVEN = "a,b %(x)s = 1"
[family]
summary = "a leader with a child in a session of its own"
command = "/bin/sh -c 'setsid sleep 600 & exec sleep 600'"
[parent]
summary = "dies and leaves a child in a session of its own"
leaves_orphans = true
command = "/bin/sh -c 'setsid sleep 600 & exec sleep 300'"
[parent.environment]
PYTHONPATH = "{root}/src"
[crashing]
summary = "never comes up"
command = "/bin/sh -c 'echo no luck today; exit 3'"
[failing]
summary = "a one-shot that fails"
oneshot = true
command = "/bin/sh -c 'echo cannot; exit 4'"
"""


@pytest.fixture
def catalogue() -> Catalogue:
    return parse(SERVICES)


@pytest.fixture
def place(tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("CALLERS_OWN", "must not arrive")
    found = Place(root=tmp_path, runtime=tmp_path / ".runtime", home=tmp_path / "my home")
    found.make_folders()
    supervisor.write_configuration(found, [_launch(catalogue, n) for n in catalogue.services])
    supervisor.start(found, tmp_path)
    yield found
    if supervisor.is_alive(found):
        supervisor.shut_down(found)
    processes.sweep(found)


def _launch(catalogue: Catalogue, name: str) -> Launch:
    return catalogue.launch(name, {"root": str(ROOT)})


def _start(place: Place, launch: Launch) -> None:
    supervisor.start_process(place, launch.name)
    waiting.Wait(place, launch, lambda: True, threading.Event()).until_ready()


def test_a_child_gets_its_environment_and_nothing_of_the_callers(
    place: Place, catalogue: Catalogue
) -> None:
    _start(place, _launch(catalogue, "steady"))
    deadline = time.monotonic() + 10
    while "100%" not in (shown := waiting.last_lines(place, "steady", 50)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "GIVEN=a,b %(x)s = 1" in shown
    assert "TZ=UTC" in shown
    assert not any("CALLERS_OWN" in line for line in shown)
    assert supervisor.configuration_path(place).stat().st_mode & 0o077 == 0
    assert supervisor.log_of(place, "steady").stat().st_mode & 0o077 == 0


def test_a_killed_service_comes_back(place: Place, catalogue: Catalogue) -> None:
    _start(place, _launch(catalogue, "steady"))
    first = supervisor.process(place, "steady").pid
    psutil.Process(first).kill()
    deadline = time.monotonic() + 20
    while supervisor.process(place, "steady").pid in {0, first}:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_next_life_of_a_killed_service_ends_the_orphans_of_the_last(
    place: Place, catalogue: Catalogue
) -> None:
    def sleepers() -> set[int]:
        return {process.pid for process in processes.marked(place) if process.name() == "sleep"}

    def is_a_family(of_others: set[int]) -> bool:
        return len(sleepers()) == 2 and not sleepers() & of_others

    _start(place, _launch(catalogue, "parent"))
    eventually(lambda: is_a_family(set()), within_seconds=20, what="the parent and its child")
    before = sleepers()
    psutil.Process(supervisor.process(place, "parent").pid).kill()
    eventually(lambda: is_a_family(before), within_seconds=30, what="a family of new processes")


def test_a_crash_loop_gets_a_verdict_with_the_end_of_its_log(
    place: Place, catalogue: Catalogue
) -> None:
    launch = _launch(catalogue, "crashing")
    supervisor.start_process(place, "crashing")
    with pytest.raises(Unusable, match="again and again") as verdict:
        waiting.Wait(place, launch, lambda: False, threading.Event()).until_ready()
    assert "no luck today" in str(verdict.value)
    assert "crashing.log" in str(verdict.value)


def test_a_failed_one_shot_tells_its_exit_status(place: Place, catalogue: Catalogue) -> None:
    with pytest.raises(Unusable, match="failed with exit status 4"):
        _start(place, _launch(catalogue, "failing"))


def test_nothing_outlives_a_supervisor_that_was_killed(place: Place, catalogue: Catalogue) -> None:
    _start(place, _launch(catalogue, "family"))
    eventually(
        lambda: sum(process.name() == "sleep" for process in processes.marked(place)) == 2,
        within_seconds=10,
        what="the leader and its child",
    )
    before = processes.marked(place)
    [leader] = [process for process in before if "supervisord" in " ".join(process.cmdline())]
    leader.kill()
    leader.wait(10)
    processes.sweep(place)
    assert [process for process in before if process.is_running()] == []
    assert processes.marked(place) == []
