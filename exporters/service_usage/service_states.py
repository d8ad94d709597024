"""Follow the state of services: up, ready, given up, and how often each was restarted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack import supervisor
from fraudwatch.stack.home import Home
from fraudwatch.stack.state import profile_of
from fraudwatch.stack.supervisor import Process
from fraudwatch.stack.system_programs import runnable_profile
from fraudwatch.stack.watchdog_report import WatchdogReport, read_report

_RUNNING = frozenset({"RUNNING", "STARTING"})
_GIVEN_UP = "FATAL"
WATCHDOG = "watchdog"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """State of one service that should run."""

    name: str
    pid: int
    is_up: bool
    is_ready: bool | None
    """By its probe; None where the watchdog has not probed it."""
    is_given_up: bool
    restarts: int


@dataclass(slots=True)
class RestartCounter:
    """Counts new processes of services that were running before."""

    _pids: dict[str, int] = field(default_factory=dict)
    _restarts: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, pid: int) -> int:
        """Return the restarts of a service so far; pid 0: it does not run."""
        before = self._pids.get(name, 0)
        if pid:
            self._restarts[name] = self._restarts.get(name, 0) + (before not in {0, pid})
            self._pids[name] = pid
        return self._restarts.get(name, 0)


class ServiceStates:
    """States of a home's services, from the supervisor and the watchdog's last check.

    The watchdog probes every service each quarter of a minute; nothing is probed a second time.
    """

    def __init__(self, home: Home, now: Callable[[], float] = time.time) -> None:
        self._home, self._now = home, now
        self._restarts = RestartCounter()
        self._names = lru_cache(1)(_servers_of)

    def observe(self) -> tuple[ServiceState, ...]:
        """Return the state of every server of the profile, and of others that run."""
        found = supervisor.processes(self._home)
        report = read_report(self._home)
        names = self._names(profile_of(self._home)) | _others(found)
        return tuple(self._state(found[name], report) for name in sorted(names & found.keys()))

    def _state(self, process: Process, report: WatchdogReport | None) -> ServiceState:
        is_up = process.state in _RUNNING
        return ServiceState(
            name=process.name,
            pid=process.pid,
            is_up=is_up,
            is_ready=False if not is_up else is_ready(process.name, report, self._now()),
            is_given_up=process.state == _GIVEN_UP,
            restarts=self._restarts.count(process.name, process.pid),
        )


def is_ready(name: str, report: WatchdogReport | None, now: float) -> bool | None:
    """Whether a service that runs was ready at the last check; None if that is unknown."""
    is_current = report is not None and not report.is_stale(now)
    if name == WATCHDOG:
        return is_current
    if report is None or not is_current or name not in report.unready_seconds:
        return None
    return report.unready_seconds[name] == 0


def _servers_of(profile: str) -> frozenset[str]:
    catalogue = catalogues.load()
    names = runnable_profile(catalogue, profile)
    return frozenset(name for name in names if not catalogue.services[name].oneshot)


def _others(found: Mapping[str, Process]) -> frozenset[str]:
    services = catalogues.load().services
    return frozenset(
        name
        for name, process in found.items()
        if process.pid and name in services and not services[name].oneshot
    )
