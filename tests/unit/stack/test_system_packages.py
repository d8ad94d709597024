from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from fraudwatch.stack import system_packages
from fraudwatch.stack.system_packages import SystemPackage

ABSENT = SystemPackage("some-server", "no-such-program", "nothing is served", has_daemon=True)
PRESENT = SystemPackage("dash", "sh", "nothing runs")


class Machine:
    """Records commands; those with a word in `failing` fail."""

    def __init__(self, *failing: str) -> None:
        self.commands: list[str] = []
        self.failing = failing

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        self.commands.append(" ".join(command))
        failed = any(word in command for word in self.failing)
        return subprocess.CompletedProcess(list(command), int(failed), "", "no route to host\n")


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(system_packages.shutil, "which", lambda name: f"/usr/bin/{name}")


def test_an_installed_package_needs_nothing() -> None:
    machine, lines = Machine(), list[str]()
    system_packages.ensure([PRESENT], lines.append, machine.run)
    assert (machine.commands, lines) == ([], [])


def test_without_root_one_line_says_how_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    machine, lines = Machine(), list[str]()
    system_packages.ensure([ABSENT, PRESENT], lines.append, machine.run)
    assert machine.commands == []
    assert lines == [
        "some-server is missing, so nothing is served; fix: apt-get install some-server"
    ]


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("has_systemd", [True, False])
def test_the_daemon_of_the_package_is_stopped(
    has_systemd: bool,  # noqa: FBT001  a parameter of pytest
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(system_packages.system_programs, "find", lambda _program: None)
    monkeypatch.setattr(
        system_packages, "SYSTEMD", tmp_path if has_systemd else tmp_path / "absent"
    )
    machine = Machine()
    system_packages.ensure([ABSENT], lambda _line: None, machine.run)
    stops = (
        ["systemctl disable --now some-server.service"]
        if has_systemd
        else ["service some-server stop", "update-rc.d some-server disable"]
    )
    assert machine.commands == [
        "apt-get -qq update",
        "apt-get -qq install --yes --no-install-recommends some-server",
        *stops,
    ]


@pytest.mark.usefixtures("as_root")
def test_a_failed_installation_is_reported_and_stops_no_daemon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(system_packages.system_programs, "find", lambda _program: None)
    machine, lines = Machine("install"), list[str]()
    system_packages.ensure([ABSENT], lines.append, machine.run)
    assert lines[-1] == (
        "apt-get install failed: no route to host; fix: apt-get install some-server"
    )
    assert not any("service" in command for command in machine.commands[2:])
