"""A start in two parts, as the demo makes it: the stream first, then the rest of the profile."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fraudwatch.stack import env_file, install, processes, runner, supervisor, waiting
from fraudwatch.stack.catalogue import parse
from fraudwatch.stack.home import ROOT, Home, StackError
from fraudwatch.stack.state import profile_of
from tests.waiting import eventually

SERVICES = """
[broker]
summary = "the log"
command = "sleep 600"
vital = true
[scorer]
summary = "verdicts"
command = "sleep 600"
needs = ["broker"]
[lake]
summary = "what starts behind the stream"
command = "/bin/sh -c 'env; exec sleep 600'"
ports = { http = 8088 }
[lake.environment]
FOLDER = "{home}"
[profiles]
all = ["broker", "scorer", "lake"]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setattr(install, "ensure", lambda *_values: tmp_path)
    found = Home(root=ROOT, runtime=tmp_path / ".runtime", folder=tmp_path / "home")
    found.make_folders()
    # Nothing listens on its ports: an offset that no stack uses.
    (found.folder / ".env").write_text(f"{env_file.PORT_OFFSET}=23000\n")
    yield found
    if supervisor.is_alive(found):
        supervisor.shut_down(found)
    processes.sweep(found)


def states(home: Home) -> dict[str, bool]:
    """Return by service whether it runs."""
    return {n: p.state in supervisor.ACTIVE for n, p in supervisor.processes(home).items()}


def test_a_part_starts_with_what_it_needs_and_the_next_start_adds_the_rest(home: Home) -> None:
    catalogue, lines = parse(SERVICES), list[str]()
    first = runner.up(home, catalogue, "all", lines.append, only=["scorer"])
    assert states(home) == {"broker": True, "scorer": True, "lake": False}
    assert first.ready_seconds.keys() == {"broker", "scorer"}
    assert profile_of(home) == "all"
    stream = supervisor.process(home, "scorer").pid

    def is_running() -> bool:
        again = runner.up(home, catalogue, "all", lines.append, only=["scorer"])
        return again.already_running

    eventually(is_running, within_seconds=20, what="a start that finds all of its part running")
    assert not states(home)["lake"]

    rest = runner.up(home, catalogue, "all", lines.append)
    assert not rest.already_running
    assert states(home) == {"broker": True, "scorer": True, "lake": True}
    assert supervisor.process(home, "scorer").pid == stream


def test_what_starts_later_has_the_settings_of_its_own_start(home: Home) -> None:
    lines = list[str]()
    runner.up(home, parse(SERVICES), "all", lines.append, only=["scorer"])
    changed = SERVICES.replace('FOLDER = "{home}"', 'FOLDER = "another"')
    runner.up(home, parse(changed), "all", lines.append)
    eventually(
        lambda: "FOLDER=another" in waiting.last_lines(home, "lake", 50),
        within_seconds=10,
        what="the changed setting",
    )
    assert not any("use the old ones" in line for line in lines)

    changed = SERVICES.replace("sleep 600", "sleep 700")
    supervisor.call(home, "stopProcess", "lake")
    runner.up(home, parse(changed), "all", lines.append)
    assert "broker, scorer use the old ones until down and up" in " ".join(lines)


def test_a_port_of_the_rest_that_is_in_use_is_refused_before_anything_starts(home: Home) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 8088 + 23000))
        other.listen()
        with pytest.raises(StackError, match="lake needs port 31088"):
            runner.up(home, parse(SERVICES), "all", lambda _line: None, only=["scorer"])
    assert not supervisor.is_alive(home)
