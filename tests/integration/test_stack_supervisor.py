from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fraudwatch.stack import processes, supervisor, waiting
from fraudwatch.stack.catalogue import Catalogue, Launch, parse
from fraudwatch.stack.home import ROOT, Home, StackError
from tests.waiting import eventually

SERVICES = """
[steady]
summary = "prints its environment, then waits"
command = "/bin/sh -c 'env; echo 100%; exec sleep 60'"
[steady.environment]
GIVEN = "a,b %(x)s = 1"
[family]
summary = "a parent whose child has its own session"
command = "/bin/sh -c 'setsid sleep 600 & exec sleep 600'"
[parent]
summary = "exits and leaves a child in its own session"
leaves_orphans = true
command = "/bin/sh -c 'setsid sleep 600 & exec sleep 300'"
[parent.environment]
PYTHONPATH = "{root}/src"
[crashing]
summary = "never becomes ready"
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
def home(tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setenv("CALLERS_OWN", "must not arrive")
    found = Home(root=tmp_path, runtime=tmp_path / ".runtime", folder=tmp_path / "my home")
    found.make_folders()
    supervisor.write_configuration(found, [_launch(catalogue, n) for n in catalogue.services])
    supervisor.start(found, tmp_path)
    yield found
    if supervisor.is_alive(found):
        supervisor.shut_down(found)
    processes.sweep(found)


def _launch(catalogue: Catalogue, name: str) -> Launch:
    return catalogue.launch(name, {"root": str(ROOT)})


def _start(home: Home, launch: Launch) -> None:
    supervisor.start_process(home, launch.name)
    waiting.Wait(home, launch, lambda: True, threading.Event()).until_ready()


def test_a_service_gets_its_environment_and_nothing_of_the_callers(
    home: Home, catalogue: Catalogue
) -> None:
    _start(home, _launch(catalogue, "steady"))
    deadline = time.monotonic() + 10
    while "100%" not in (shown := waiting.last_lines(home, "steady", 50)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "GIVEN=a,b %(x)s = 1" in shown
    assert "TZ=UTC" in shown
    assert not any("CALLERS_OWN" in line for line in shown)
    assert supervisor.configuration_path(home).stat().st_mode & 0o077 == 0
    assert supervisor.log_of(home, "steady").stat().st_mode & 0o077 == 0


def test_a_changed_configuration_is_applied_to_what_does_not_run(
    home: Home, catalogue: Catalogue
) -> None:
    _start(home, _launch(catalogue, "family"))
    text = SERVICES.replace('GIVEN = "a,b', 'GIVEN = "c,d').replace("exec sleep 600'", "sleep 700'")
    text = f"{text}\n[added]\nsummary = 'is new'\ncommand = 'sleep 60'\n"
    changed = parse(text.replace("[crashing]", "[renamed]"))
    assert supervisor.write_configuration(home, [_launch(changed, n) for n in changed.services])

    before = supervisor.process(home, "family").pid
    assert supervisor.apply_configuration(home) == ["family"]
    assert supervisor.process(home, "family").pid == before
    for name in ("steady", "added"):
        _start(home, _launch(changed, name))
    eventually(
        lambda: "GIVEN=c,d %(x)s = 1" in waiting.last_lines(home, "steady", 50),
        within_seconds=10,
        what="the new setting",
    )
    assert {"renamed", "added"} <= supervisor.processes(home).keys()
    assert "crashing" not in supervisor.processes(home)


def test_a_killed_service_is_restarted(home: Home, catalogue: Catalogue) -> None:
    _start(home, _launch(catalogue, "steady"))
    first = supervisor.process(home, "steady").pid
    psutil.Process(first).kill()
    deadline = time.monotonic() + 20
    while supervisor.process(home, "steady").pid in {0, first}:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_restarted_service_kills_the_orphans_of_its_last_run(
    home: Home, catalogue: Catalogue
) -> None:
    def sleepers() -> set[int]:
        return {process.pid for process in processes.marked(home) if process.name() == "sleep"}

    def is_a_family(of_others: set[int]) -> bool:
        return len(sleepers()) == 2 and not sleepers() & of_others

    _start(home, _launch(catalogue, "parent"))
    eventually(lambda: is_a_family(set()), within_seconds=20, what="the parent and its child")
    before = sleepers()
    psutil.Process(supervisor.process(home, "parent").pid).kill()
    eventually(lambda: is_a_family(before), within_seconds=30, what="a family of new processes")


def test_a_crash_loop_is_reported_with_the_end_of_its_log(home: Home, catalogue: Catalogue) -> None:
    launch = _launch(catalogue, "crashing")
    supervisor.start_process(home, "crashing")
    with pytest.raises(StackError, match="exits repeatedly") as failure:
        waiting.Wait(home, launch, lambda: False, threading.Event()).until_ready()
    assert "no luck today" in str(failure.value)
    assert "crashing.log" in str(failure.value)


def test_a_failed_job_is_reported_with_its_exit_status(home: Home, catalogue: Catalogue) -> None:
    with pytest.raises(StackError, match="failed with exit status 4"):
        _start(home, _launch(catalogue, "failing"))


def test_a_sweep_kills_all_processes_of_a_killed_supervisor(
    home: Home, catalogue: Catalogue
) -> None:
    _start(home, _launch(catalogue, "family"))
    eventually(
        lambda: sum(process.name() == "sleep" for process in processes.marked(home)) == 2,
        within_seconds=10,
        what="the parent and its child",
    )
    before = processes.marked(home)
    [daemon] = [process for process in before if "supervisord" in " ".join(process.cmdline())]
    daemon.kill()
    daemon.wait(10)
    processes.sweep(home)
    assert [process for process in before if process.is_running()] == []
    assert processes.marked(home) == []
