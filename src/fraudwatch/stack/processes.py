"""Finding this home's processes by their inherited mark, and who listens on a port."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil

from fraudwatch.stack.place import MARK_VARIABLE, Place, Unusable

SWEEP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Clash:
    """A port of ours that somebody else holds."""

    service: str
    port: int
    owner: str


def marked(place: Place) -> list[psutil.Process]:
    """Every living process that descends from this home's supervisor."""
    return bearing({MARK_VARIABLE: place.mark})


def bearing(marks: Mapping[str, str]) -> list[psutil.Process]:
    """Every other living process whose environment holds these variables."""
    return [process for process in psutil.process_iter() if _bears(process, marks)]


def _bears(process: psutil.Process, marks: Mapping[str, str]) -> bool:
    try:
        return (
            process.pid != os.getpid()
            and process.status() != psutil.STATUS_ZOMBIE
            and marks.items() <= process.environ().items()
        )
    except (psutil.Error, OSError):  # it ended meanwhile, or is another user's
        return False


def sweep(place: Place) -> int:
    """Kill what outlived its supervisor; returns how many processes that were."""
    return end_all({MARK_VARIABLE: place.mark})


def end_all(marks: Mapping[str, str]) -> int:
    """Kill every other process that bears these marks; returns how many those were.

    A process may have forked while we looked, so it looks again until nothing is left.
    """
    killed = 0
    while found := bearing(marks):
        for process in found:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        _, alive = psutil.wait_procs(found, SWEEP_SECONDS)
        if alive:
            raise Unusable(f"these processes do not end, not even by kill -9: {alive}")
        killed += len(found)
    return killed


def listeners() -> dict[int, str]:
    """Who listens on which TCP port, as 'pid 12, java -cp ...'."""
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


def clashes(wanted: Iterable[tuple[str, int]]) -> list[Clash]:
    """Which of these (service, port) pairs are taken, and by whom."""
    taken = listeners()
    return [Clash(service, port, taken[port]) for service, port in wanted if port in taken]
