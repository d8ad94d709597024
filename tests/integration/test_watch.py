"""``./fraudwatch watch`` as systemd runs it, with a socket of ours as systemd's."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from fraudwatch.stack import processes, supervisor
from fraudwatch.stack.home import ROOT
from fraudwatch.stack.private_stack import PrivateStack, free_offset
from tests.waiting import eventually

WITHIN_SECONDS = 240
ALL_READY = {"STATUS=all are ready", "WATCHDOG=1"}


class NotifySocket:
    """What a process has sent to NOTIFY_SOCKET since it was last asked."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(1)

    def expect(self, wanted: set[str]) -> None:
        """Wait for a message that has all of these assignments."""
        eventually(
            lambda: wanted <= self._next(),
            within_seconds=WITHIN_SECONDS,
            every_seconds=0,
            what=f"a message with {wanted}",
        )

    def _next(self) -> set[str]:
        try:
            return set(self._socket.recv(4_096).decode().split("\n"))
        except TimeoutError:
            return set()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[NotifySocket]:
    found = NotifySocket(tmp_path / "notify")
    yield found
    found.close()


@contextmanager
def watching(stack: PrivateStack, notify: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        "FRAUDWATCH_HOME": str(stack.folder),
        "FRAUDWATCH_PORT_OFFSET": str(stack.offset),
        "NOTIFY_SOCKET": str(notify),
        "WATCHDOG_USEC": "9000000",
    }
    with (stack.folder / "watch.log").open("wb") as log:
        process = subprocess.Popen(
            [ROOT / "fraudwatch", "watch", "--profile", "kafka"],
            env=os.environ | environment,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        stack.command("down", check=False)


@pytest.mark.engines
def test_a_watch_reports_readiness_respects_down_and_stops_in_order(
    tmp_path: Path, systemd: NotifySocket
) -> None:
    stack = PrivateStack(tmp_path / "home", free_offset())
    stack.folder.mkdir()
    with watching(stack, tmp_path / "notify") as process:
        systemd.expect({"READY=1"})
        systemd.expect(ALL_READY)

        second = stack.command("watch", "--profile", "kafka", check=False)
        assert second.returncode == 1
        assert "another ./fraudwatch watch" in second.stderr

        psutil.Process(supervisor.call(stack.home, "getPID")).kill()
        systemd.expect(ALL_READY)
        assert stack.states("kafka")["kafka"].ready

        stack.command("down")
        systemd.expect(
            {"STATUS=stopped by ./fraudwatch down; ./fraudwatch up resumes", "WATCHDOG=1"}
        )
        assert processes.marked(stack.home) == []

        stack.command("up", "--profile", "kafka")
        systemd.expect(ALL_READY)

        process.terminate()
        systemd.expect({"STOPPING=1"})
        assert process.wait(60) == 0
        assert processes.marked(stack.home) == []
        assert "kafka stopped" in (stack.folder / "watch.log").read_text(encoding="utf-8")
