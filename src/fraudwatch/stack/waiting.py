"""Wait until a service is ready, and report why if it does not start."""

from __future__ import annotations

import threading
import time
from collections import deque

from fraudwatch.observability.failure_reason import last_sentence
from fraudwatch.stack import supervisor
from fraudwatch.stack.catalogue import Launch
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.probes import Probe

POLL_SECONDS = 0.2
SHOWN_LINES = 20
# A service with this many process ids while it starts is in a crash loop.
MAX_RESTARTS = 4


def last_lines(home: Home, name: str, count: int) -> list[str]:
    """Return the last lines of a service's log."""
    path = supervisor.log_of(home, name)
    if not path.exists():
        return []
    with path.open(encoding="utf-8", errors="replace") as file:
        return [line.rstrip("\n") for line in deque(file, count)]


class Wait:
    """Polls one service until it is ready, has failed, or ``stop`` is set."""

    def __init__(self, home: Home, launch: Launch, probe: Probe, stop: threading.Event) -> None:
        self._home = home
        self._launch = launch
        self._probe = probe
        self._stop = stop
        self._pids: set[int] = set()

    def until_ready(self) -> None:
        """Return when the service is ready.

        Raises:
            StackError: it failed; the message has the reason, the log's end and its path.
        """
        service = self._launch.service
        deadline = time.monotonic() + service.ready_seconds
        while not self._stop.is_set():
            found = supervisor.process(self._home, service.name)
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
            lines = last_lines(self._home, self._launch.name, SHOWN_LINES)
            reason = (last_sentence(lines) or "its log is empty").rstrip(".")
            raise self._failure(f"failed with exit status {found.exit_status}: {reason}")
        return found.state == "EXITED"

    def _refuse_a_crash_loop(self, found: supervisor.Process) -> None:
        self._pids |= {found.pid} - {0}
        if found.state == "FATAL" or len(self._pids) >= MAX_RESTARTS:
            raise self._failure(
                f"exits repeatedly ({len(self._pids)} times while starting, "
                f"last exit status {found.exit_status})"
            )

    def _failure(self, reason: str) -> StackError:
        name = self._launch.name
        tail = "\n".join(f"  | {line}" for line in last_lines(self._home, name, SHOWN_LINES))
        return StackError(
            f"{name} {reason}. The end of {supervisor.log_of(self._home, name)}:\n{tail}\n"
            "Other services keep running; ./fraudwatch down stops them."
        )
