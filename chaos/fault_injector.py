"""Inject faults into the services of a private stack and wait until they are ready again."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from chaos.faults import STOP_SECONDS, Fault, FaultKind
from chaos.verdict_moment import new_verdict
from fraudwatch.stack import supervisor
from fraudwatch.stack.home import StackError
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.stack.probes import probe_for
from fraudwatch.stack.waiting import Wait

_NOTICED_SECONDS = 10.0
_POLL_SECONDS = 0.1


class FaultInjector:
    """Kill or stop services of one private stack by their process group."""

    def __init__(self, stack: PrivateStack) -> None:
        self._stack = stack

    def inject(self, fault: Fault) -> float:
        """Inject one fault; returns the monotonic time from which the recovery counts.

        For a stopped service that is the time at which it continues.

        Raises:
            StackError: the service is not running, survives the kill, or publishes no verdict at
                which to kill it.
        """
        if fault.kind is FaultKind.KILL_EVERYTHING:
            return self._kill_everything()
        group = self._pid(fault.service)
        if fault.kind is FaultKind.STOP:
            with _stopped(group):
                time.sleep(STOP_SECONDS)
            return time.monotonic()
        with self._moment_for(fault.kind):  # no code in between, because Spark may commit
            began = time.monotonic()
            os.killpg(group, signal.SIGKILL)
        self._wait_until_noticed(fault.service, group)
        return began

    def wait_until_ready(self, fault: Fault) -> None:
        """Return when the service answers again; after a kill of everything, start the stack.

        Raises:
            StackError: it does not recover; the text holds the end of its log.
        """
        if fault.kind is FaultKind.KILL_EVERYTHING:
            self._stack.start_again()
            return
        launch = self._stack.launches[fault.service]
        probe = probe_for(launch, self._stack.settings)
        Wait(self._stack.home, launch, probe, threading.Event()).until_ready()

    def _kill_everything(self) -> float:
        with new_verdict(self._stack.kafka("admin")):
            began = time.monotonic()
            self._stack.kill_everything()
        return began

    def _moment_for(self, kind: FaultKind) -> AbstractContextManager[None]:
        if kind is FaultKind.KILL_AT_VERDICT:
            return new_verdict(self._stack.kafka("admin"))
        return nullcontext()

    def _pid(self, service: str) -> int:
        process = supervisor.process(self._stack.home, service)
        if process.pid <= 1:
            raise StackError(
                f"{service} is not running ({process.state}), so no fault can be injected; see "
                "its log"
            )
        return process.pid

    def _wait_until_noticed(self, service: str, pid: int) -> None:
        """Wait until the supervisor has noticed the exit; before that it reports ready."""
        deadline = time.monotonic() + _NOTICED_SECONDS
        while supervisor.process(self._stack.home, service).pid == pid:
            if time.monotonic() > deadline:
                raise StackError(
                    f"{service} still has pid {pid} {_NOTICED_SECONDS:.0f} s after a kill -9, so "
                    "the fault was not injected; see the supervisor's log"
                )
            time.sleep(_POLL_SECONDS)


@contextmanager
def _stopped(group: int) -> Iterator[None]:
    """Stop a process group (SIGSTOP) and always continue it (SIGCONT)."""
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)
