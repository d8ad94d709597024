from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil

from fraudwatch.stack import processes
from fraudwatch.stack.home import MARK_VARIABLE, Home

# A parent whose child has its own session: no signal to the parent's process group reaches it.
FAMILY = (
    "import subprocess, sys, time; "
    "wait = [sys.executable, '-c', 'import time; time.sleep(60)']; "
    "subprocess.Popen(wait, start_new_session=True); "
    "time.sleep(60)"
)


def _home(folder: Path) -> Home:
    return Home(root=folder, runtime=folder / ".runtime", folder=folder / "var")


def test_a_sweep_kills_only_marked_children_of_dead_parents(tmp_path: Path) -> None:
    home = _home(tmp_path)
    environment = {**os.environ, MARK_VARIABLE: home.mark}
    unmarked = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    parent = subprocess.Popen([sys.executable, "-c", FAMILY], env=environment)
    try:
        deadline = time.monotonic() + 20
        while len(processes.marked(home)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        parent.kill()
        parent.wait()
        assert len(processes.marked(home)) == 1
        assert processes.sweep(home) == 1
        assert processes.marked(home) == []
        assert unmarked.poll() is None
    finally:
        unmarked.kill()
        unmarked.wait()
        processes.sweep(home)


def test_a_port_conflict_names_the_port_and_its_process() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        (conflict,) = processes.port_conflicts([("kafka", port)])
    assert (conflict.service, conflict.port) == ("kafka", port)
    assert f"pid {psutil.Process().pid}," in conflict.owner


def test_a_long_home_gets_a_short_private_socket_path(tmp_path: Path) -> None:
    home = _home(tmp_path / ("x" * 90))
    try:
        assert len(str(home.socket)) < 100
        assert home.socket.parent.stat().st_mode & 0o077 == 0
    finally:
        home.socket.parent.rmdir()
