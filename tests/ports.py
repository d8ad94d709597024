"""Ports of servers that a test starts by itself."""

from __future__ import annotations

import socket

from tests.waiting import eventually


def free_port() -> int:
    """Return a TCP port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until_listening(port: int) -> None:
    """Wait until a server accepts connections on this port."""
    eventually(lambda: _listens(port), within_seconds=60, what=f"port {port} listens")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
