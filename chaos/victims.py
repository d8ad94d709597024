"""The processes of a private stack: to be broken, and to be waited for until they are back."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from chaos.faults import STOP_SECONDS, Fault, Kind
from chaos.verdict_moment import new_verdict
from fraudwatch.stack import supervisor
from fraudwatch.stack.place import Unusable
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.stack.probes import probe_for
from fraudwatch.stack.waiting import Wait

_NOTICED_SECONDS = 10.0
_POLL_SECONDS = 0.1


class Victims:
    """Breaks services of one private stack by their process group, and of no other."""

    def __init__(self, stack: PrivateStack) -> None:
        self._stack = stack

    def strike(self, fault: Fault) -> float:
        """Break a service; returns the instant (monotonic) from which its recovery counts.

        A stopped service is let go on here, and recovers from then on.

        Raises:
            Unusable: it does not run, outlives the blow, or gives no verdict to be killed at.
        """
        group = self._pid(fault.service)
        if fault.kind is Kind.STOP:
            with _stopped(group):
                time.sleep(STOP_SECONDS)
            return time.monotonic()
        with self._moment_for(fault.kind):  # nothing in between: Spark may commit
            began = time.monotonic()
            os.killpg(group, signal.SIGKILL)
        self._wait_until_noticed(fault.service, group)
        return began

    def wait_until_ready(self, service: str) -> None:
        """Return when the service answers again.

        Raises:
            Unusable: it does not come back; the text holds the end of its log.
        """
        launch = self._stack.launches[service]
        probe = probe_for(launch, self._stack.settings)
        Wait(self._stack.place, launch, probe, threading.Event()).until_ready()

    def _moment_for(self, kind: Kind) -> AbstractContextManager[None]:
        if kind is Kind.KILL_AT_VERDICT:
            return new_verdict(self._stack.kafka("admin"))
        return nullcontext()

    def _pid(self, service: str) -> int:
        found = supervisor.process(self._stack.place, service)
        if found.pid <= 1:
            raise Unusable(f"{service} does not run ({found.state}), so it cannot be broken")
        return found.pid

    def _wait_until_noticed(self, service: str, pid: int) -> None:
        """Until its keeper knows that it is gone: before that it would still look ready."""
        deadline = time.monotonic() + _NOTICED_SECONDS
        while supervisor.process(self._stack.place, service).pid == pid:
            if time.monotonic() > deadline:
                raise Unusable(f"{service} (pid {pid}) outlived a kill -9; nothing was proved")
            time.sleep(_POLL_SECONDS)


@contextmanager
def _stopped(group: int) -> Iterator[None]:
    """Hold a process group still; it goes on whatever happens meanwhile."""
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)
