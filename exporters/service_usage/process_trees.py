"""Measure the processes of services: each service is a process with all its descendants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import psutil


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Usage of one service: memory and processes now, processor time since its start."""

    cpu_seconds: float
    anonymous_bytes: int
    """Memory that no file backs."""
    resident_bytes: int
    """All of its memory, pages of mapped files included."""
    processes: int
    started_at_seconds: float


@dataclass(slots=True)
class _Account:
    """Processor time of a service; it never falls, whatever ends."""

    leader: int
    counted_seconds: float = 0.0
    last_seconds: float = 0.0

    def add(self, leader: int, seconds: float) -> float:
        if leader != self.leader:
            self.leader, self.last_seconds = leader, 0.0
        self.counted_seconds += max(0.0, seconds - self.last_seconds)
        self.last_seconds = seconds
        return self.counted_seconds


@dataclass(slots=True)
class UsageMeter:
    """Measures process trees; it keeps what ended processes had used."""

    _accounts: dict[str, _Account] = field(default_factory=dict)

    def measure(self, leaders: Mapping[str, int]) -> dict[str, Usage]:
        """Measure services by the pid of each one's first process; a missing one is left out."""
        children = _children()
        found = {name: self._usage(name, pid, children) for name, pid in leaders.items()}
        return {name: usage for name, usage in found.items() if usage is not None}

    def _usage(
        self, name: str, leader: int, children: Mapping[int, list[psutil.Process]]
    ) -> Usage | None:
        try:
            first = psutil.Process(leader)
            started_at = first.create_time()
        except psutil.Error:
            return None
        cpu_seconds, anonymous, resident, count = 0.0, 0, 0, 0
        for process in _tree(first, children):
            seconds, own_anonymous, own_resident = _measured(process)
            cpu_seconds += seconds
            anonymous += own_anonymous
            resident += own_resident
            count += 1
        account = self._accounts.setdefault(name, _Account(leader))
        return Usage(
            cpu_seconds=account.add(leader, cpu_seconds),
            anonymous_bytes=anonymous,
            resident_bytes=resident,
            processes=count,
            started_at_seconds=started_at,
        )


def _children() -> dict[int, list[psutil.Process]]:
    """List the children of every process, by one pass over all."""
    found: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        try:
            found.setdefault(process.ppid(), []).append(process)
        except psutil.Error:  # it has ended in the meantime
            continue
    return found


def _tree(
    first: psutil.Process, children: Mapping[int, list[psutil.Process]]
) -> Iterator[psutil.Process]:
    waiting = [first]
    while waiting:
        process = waiting.pop()
        yield process
        waiting += children.get(process.pid, [])


def _measured(process: psutil.Process) -> tuple[float, int, int]:
    """Return processor seconds, also of children that have ended, and memory in bytes."""
    try:
        with process.oneshot():
            cpu, memory = process.cpu_times(), process.memory_info()
    except psutil.Error:
        return 0.0, 0, 0
    seconds = cpu.user + cpu.system + cpu.children_user + cpu.children_system
    return seconds, max(0, memory.rss - memory.shared), memory.rss
