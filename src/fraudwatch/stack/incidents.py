"""Incidents of services: which are given up or hung, and when each is restarted next.

The rules of the watchdog alone: no clock, no process, no mail. A service that a person stopped is
no incident. One whose needs are not ready is neither restarted nor counted as hung.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

# Delay before each restart of a given-up service; the last one repeats. A hung one begins at once.
RETRY_SECONDS: Final = (60.0, 120.0, 300.0, 900.0)
# A service is recovered when it is ready and has run this long.
STEADY_SECONDS: Final = 30.0
_STOPPED: Final = frozenset({"STOPPED", "STOPPING", "UNKNOWN"})

Kind = Literal["given up", "hung"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One service at one check: supervisord's state, the probe's answer, and its needs."""

    name: str
    state: str
    is_ready: bool
    uptime_seconds: float = 0.0
    ready_seconds: float = 120.0
    needs_ready: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A service that does not work, from its discovery until it has recovered; epoch seconds."""

    service: str
    kind: Kind
    began_at: float
    next_restart_at: float
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Findings:
    """Result of one check: new and ended incidents, and those whose service is to be restarted."""

    opened: tuple[Incident, ...]
    recovered: tuple[Incident, ...]
    due: tuple[Incident, ...]


class Incidents:
    """Open incidents of a stack, and since when services have not been ready."""

    def __init__(self, hung_seconds: float, still_open: Iterable[Incident] = ()) -> None:
        self._hung_seconds = hung_seconds
        self._open = {incident.service: incident for incident in still_open}
        self._unready_since = dict[str, float]()
        self._hanging_since = dict[str, float]()

    @property
    def open(self) -> tuple[Incident, ...]:
        """Incidents that have not ended, oldest first."""
        return tuple(sorted(self._open.values(), key=lambda incident: incident.began_at))

    def unready_seconds(self, name: str, now: float) -> float:
        """Return for how long a service has not been ready; 0 if it is ready or stopped."""
        return now - self._unready_since.get(name, now)

    def check(self, observed: Iterable[Observed], now: float) -> Findings:
        """Open and close incidents by the states of all services at this time."""
        before, services = dict(self._open), tuple(observed)
        for one in services:
            self._note_readiness(one, now)
            self._follow(one, now)
        gone = [incident for name, incident in before.items() if name not in self._open]
        ready = {one.name for one in services if one.is_ready}
        return Findings(
            tuple(incident for name, incident in self._open.items() if name not in before),
            tuple(incident for incident in gone if incident.service in ready),
            tuple(self._open[one.name] for one in services if self._is_due(one, now)),
        )

    def note_restart(self, name: str, now: float) -> None:
        """Count a restart and set the time of the next one."""
        incident = self._open[name]
        delay = RETRY_SECONDS[min(incident.restarts + 1, len(RETRY_SECONDS) - 1)]
        self._open[name] = replace(
            incident, restarts=incident.restarts + 1, next_restart_at=now + delay
        )

    def _note_readiness(self, one: Observed, now: float) -> None:
        if one.is_ready or one.state in _STOPPED:
            self._unready_since.pop(one.name, None)
        else:
            self._unready_since.setdefault(one.name, now)
        if one.state == "RUNNING" and not one.is_ready and one.needs_ready:
            self._hanging_since.setdefault(one.name, now)
        else:
            self._hanging_since.pop(one.name, None)

    def _follow(self, one: Observed, now: float) -> None:
        incident = self._open.get(one.name)
        if one.state in _STOPPED or (one.is_ready and one.uptime_seconds >= STEADY_SECONDS):
            self._open.pop(one.name, None)
        elif incident is None and one.state == "FATAL":
            # Supervisord has just tried five times in a row, so the first restart waits as well.
            self._begin(one.name, "given up", now, now + RETRY_SECONDS[0])
        elif incident is None and self._is_hung(one, now):
            self._begin(one.name, "hung", now, now)

    def _begin(self, service: str, kind: Kind, now: float, next_restart_at: float) -> None:
        self._open[service] = Incident(
            service=service, kind=kind, began_at=now, next_restart_at=next_restart_at
        )

    def _is_hung(self, one: Observed, now: float) -> bool:
        # A restarted process has as much time as the one before it.
        hanging = min(now - self._hanging_since.get(one.name, now), one.uptime_seconds)
        return hanging >= self._hung_seconds and one.uptime_seconds >= one.ready_seconds

    def _is_due(self, one: Observed, now: float) -> bool:
        incident = self._open.get(one.name)
        if incident is None or now < incident.next_restart_at or not one.needs_ready:
            return False
        return one.state == "FATAL" or self._is_hung(one, now)
