"""Find this home's processes by their inherited mark, and the processes that listen on ports."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil

from fraudwatch.stack.home import MARK_VARIABLE, Home, StackError

SWEEP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class PortConflict:
    """A port of a service on which another process listens."""

    service: str
    port: int
    owner: str


def marked(home: Home) -> list[psutil.Process]:
    """List every living process started by this home's supervisor, at any depth."""
    return processes_with({MARK_VARIABLE: home.mark})


def processes_with(marks: Mapping[str, str]) -> list[psutil.Process]:
    """List every other living process whose environment has these variables."""
    return [process for process in psutil.process_iter() if _has_variables(process, marks)]


def _has_variables(process: psutil.Process, marks: Mapping[str, str]) -> bool:
    try:
        return (
            process.pid != os.getpid()
            and process.status() != psutil.STATUS_ZOMBIE
            and marks.items() <= process.environ().items()
        )
    except (psutil.Error, OSError):  # it has ended, or belongs to another user
        return False


def sweep(home: Home) -> int:
    """Kill processes that outlived their supervisor; return their number."""
    return end_all({MARK_VARIABLE: home.mark})


def end_all(marks: Mapping[str, str]) -> int:
    """Kill every other process whose environment has these variables; return their number.

    A process may fork in the meantime, so this repeats until none is left.
    """
    killed = 0
    while found := processes_with(marks):
        for process in found:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        _, alive = psutil.wait_procs(found, SWEEP_SECONDS)
        if alive:
            raise StackError(f"these processes do not end, not even by kill -9: {alive}")
        killed += len(found)
    return killed


def listeners() -> dict[int, str]:
    """Return the listening process of each TCP port, as 'pid 12, java -cp ...'."""
    return {
        socket.laddr.port: _described(socket.pid)
        for socket in psutil.net_connections(kind="tcp")
        if socket.status == psutil.CONN_LISTEN and socket.laddr
    }


def _described(pid: int | None) -> str:
    if pid is None:
        return "a process of another user"
    try:
        return f"pid {pid}, {' '.join(psutil.Process(pid).cmdline())[:120]}"
    except psutil.Error:
        return f"pid {pid}"


def port_conflicts(wanted: Iterable[tuple[str, int]]) -> list[PortConflict]:
    """Return the (service, port) pairs whose port is in use, with the process that listens."""
    listening = listeners()
    return [
        PortConflict(service, port, listening[port])
        for service, port in wanted
        if port in listening
    ]
