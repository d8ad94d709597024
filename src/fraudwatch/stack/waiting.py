"""Waiting for one service, with a verdict when it does not come up."""

from __future__ import annotations

import threading
import time
from collections import deque

from fraudwatch.observability.failure_reason import last_sentence
from fraudwatch.stack import supervisor
from fraudwatch.stack.catalogue import Launch
from fraudwatch.stack.place import Place, Unusable
from fraudwatch.stack.probes import Probe

POLL_SECONDS = 0.2
SHOWN_LINES = 20
# Alive, dead, alive again this often while we look: it will not settle.
MOST_LIVES = 4


def last_lines(place: Place, name: str, count: int) -> list[str]:
    """The end of a service's log."""
    path = supervisor.log_of(place, name)
    if not path.exists():
        return []
    with path.open(encoding="utf-8", errors="replace") as file:
        return [line.rstrip("\n") for line in deque(file, count)]


class Wait:
    """Polls one service until it is ready, gives up, or somebody says stop."""

    def __init__(self, place: Place, launch: Launch, probe: Probe, stop: threading.Event) -> None:
        self._place = place
        self._launch = launch
        self._probe = probe
        self._stop = stop
        self._lives: set[int] = set()

    def until_ready(self) -> None:
        """Return when it is ready.

        Raises:
            Unusable: with the reason, the end of its log and where that lies.
        """
        service = self._launch.service
        deadline = time.monotonic() + service.ready_seconds
        while not self._stop.is_set():
            found = supervisor.process(self._place, service.name)
            if service.oneshot:
                if self._is_done(found):
                    return
            elif found.state in {"STARTING", "RUNNING"} and self._probe():
                return
            self._refuse_a_crash_loop(found)
            if time.monotonic() > deadline:
                raise self._failure(f"is not ready after {service.ready_seconds} s ({found.state})")
            self._stop.wait(POLL_SECONDS)

    def _is_done(self, found: supervisor.Process) -> bool:
        if found.state == "EXITED" and found.exit_status != 0:
            lines = last_lines(self._place, self._launch.name, SHOWN_LINES)
            why = (last_sentence(lines) or "its log is empty").rstrip(".")
            raise self._failure(f"failed with exit status {found.exit_status}: {why}")
        return found.state == "EXITED"

    def _refuse_a_crash_loop(self, found: supervisor.Process) -> None:
        self._lives |= {found.pid} - {0}
        if found.state == "FATAL" or len(self._lives) >= MOST_LIVES:
            raise self._failure(
                f"ends again and again by itself ({len(self._lives)} times while starting, "
                f"last exit status {found.exit_status})"
            )

    def _failure(self, reason: str) -> Unusable:
        name = self._launch.name
        tail = "\n".join(f"  | {line}" for line in last_lines(self._place, name, SHOWN_LINES))
        return Unusable(
            f"{name} {reason}. The end of {supervisor.log_of(self._place, name)}:\n{tail}\n"
            "What already runs keeps running: ./fraudwatch down ends it."
        )
