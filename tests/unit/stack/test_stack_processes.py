from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil

from fraudwatch.stack import processes
from fraudwatch.stack.place import MARK_VARIABLE, Place

# A leader whose child makes its own session: no signal to the leader's group reaches it.
FAMILY = (
    "import subprocess, sys, time; "
    "wait = [sys.executable, '-c', 'import time; time.sleep(60)']; "
    "subprocess.Popen(wait, start_new_session=True); "
    "time.sleep(60)"
)


def _place(folder: Path) -> Place:
    return Place(root=folder, runtime=folder / ".runtime", home=folder / "var")


def test_a_sweep_ends_children_of_dead_leaders_and_nobody_else(tmp_path: Path) -> None:
    place = _place(tmp_path)
    environment = {**os.environ, MARK_VARIABLE: place.mark}
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    leader = subprocess.Popen([sys.executable, "-c", FAMILY], env=environment)
    try:
        deadline = time.monotonic() + 20
        while len(processes.marked(place)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        leader.kill()
        leader.wait()
        assert len(processes.marked(place)) == 1
        assert processes.sweep(place) == 1
        assert processes.marked(place) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
        processes.sweep(place)


def test_a_clash_names_the_port_and_its_owner() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        (clash,) = processes.clashes([("kafka", port)])
    assert (clash.service, clash.port) == ("kafka", port)
    assert f"pid {psutil.Process().pid}," in clash.owner


def test_a_long_home_gets_a_short_private_socket_path(tmp_path: Path) -> None:
    place = _place(tmp_path / ("x" * 90))
    try:
        assert len(str(place.socket)) < 100
        assert place.socket.parent.stat().st_mode & 0o077 == 0
    finally:
        place.socket.parent.rmdir()
