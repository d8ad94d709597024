"""Measure processor time and memory of a stack's services, each with its child processes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import psutil

from fraudwatch.stack import supervisor
from fraudwatch.stack.home import Home


@dataclass(frozen=True, slots=True)
class ResourceUse:
    """Mean processor cores and memory of one service over an interval."""

    cpu_cores: float
    rss_mib: int


@dataclass(frozen=True, slots=True)
class UsageReading:
    """Processor seconds and memory of every service at one instant."""

    at: float
    cpu_seconds: Mapping[str, float]
    rss_mib: Mapping[str, int]

    @classmethod
    def read(cls, home: Home) -> UsageReading:
        """Read every running service of a home."""
        cpu_seconds, rss_mib = {}, {}
        for name, running in supervisor.processes(home).items():
            if running.pid > 0:
                cpu_seconds[name], rss_mib[name] = usage_of_tree(running.pid)
        return cls(time.monotonic(), cpu_seconds, rss_mib)

    def until(self, later: UsageReading) -> dict[str, ResourceUse]:
        """Return the resource use of each service between two readings."""
        span = later.at - self.at
        return {
            name: ResourceUse(
                round((later.cpu_seconds[name] - began) / span, 2), later.rss_mib[name]
            )
            for name, began in self.cpu_seconds.items()
            if name in later.cpu_seconds
        }


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a service: all that is resident, and of it what no file backs.

    Pages of mapped files, such as Kafka's indexes and Cassandra's tables, grow with the data and
    go when memory is short; only private memory can leak.
    """

    resident_mib: float
    private_mib: float


def memory_of_tree(pid: int) -> Memory:
    """Return the memory of a process and its children."""
    resident_bytes, shared_bytes = 0, 0
    with suppress(psutil.NoSuchProcess):
        leader = psutil.Process(pid)
        for process in (leader, *leader.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                found = process.memory_info()
                resident_bytes += found.rss
                shared_bytes += found.shared
    return Memory(resident_bytes / 2**20, (resident_bytes - shared_bytes) / 2**20)


def usage_of_tree(pid: int) -> tuple[float, int]:
    """Return processor seconds and resident MiB of a process and its children."""
    seconds, resident_bytes = 0.0, 0
    with suppress(psutil.NoSuchProcess):
        leader = psutil.Process(pid)
        for process in (leader, *leader.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                seconds += times.user + times.system
                resident_bytes += process.memory_info().rss
    return seconds, resident_bytes // 2**20
