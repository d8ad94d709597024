"""Start the rest of a profile behind the stream: `up` as a process of its own, at low priority.

The caller goes on meanwhile. What the process reaches is printed in one line each; its failure is
reported when the caller asks for the result, and never stops the stream.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from types import TracebackType
from typing import Final, NamedTuple, Self

from fraudwatch.stack.environments import Notify
from fraudwatch.stack.home import StackError
from fraudwatch.stack.progress_lines import parse_ready_line

NICE: Final = 10
# The command line prints an error with this prefix; what follows belongs to the error.
_ERROR: Final = "fraudwatch: "
_STOP_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.5


class Milestone(NamedTuple):
    """A part of the platform that a person uses: ready once all of these services are."""

    title: str
    services: frozenset[str]
    hint: str = ""


def up_command(profile: str) -> list[str]:
    """Return the command that starts a profile at low priority; running services are kept."""
    return [
        "nice", "-n", str(NICE), sys.executable, "-m", "fraudwatch.cli",
        "up", "--profile", profile, "--json",
    ]  # fmt: skip


class BackgroundStart:
    """A start that goes on behind its caller; as a context it ends before the caller does."""

    def __init__(
        self,
        command: Sequence[str],
        plan: Callable[[], Collection[Milestone]],
        notify: Notify,
        reached: Callable[[str, str], None],
    ) -> None:
        """Prepare a start.

        ``plan`` runs in its thread before the command, and returns the milestones to look for;
        ``reached`` gets the step and the hint of each.
        """
        self._command = command
        self._plan = plan
        self._notify = notify
        self._reached = reached
        self._waiting = list[Milestone]()
        self._ready = set[str]()
        self._titles = set[str]()
        self._error = list[str]()
        self._process: subprocess.Popen[str] | None = None
        self._exit_code: int | None = None
        self._is_cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="background_start", daemon=True)

    def __enter__(self) -> Self:
        """Begin the start."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Wait for its end; after Ctrl-C interrupt it, as Ctrl-C interrupts `up`."""
        if kind is not None and not issubclass(kind, StackError):
            self._interrupt()
        elif self._thread.is_alive():
            self._notify("     the rest of the platform still starts ...")
        self._join()

    def until_reached(self, titles: Collection[str]) -> None:
        """Wait until these milestones are reached; other services may still start.

        Raises:
            StackError: the start failed before; the message has cause, effect and fix.
        """
        wanted = set(titles)
        while self._thread.is_alive() and not wanted <= self._titles:
            self._thread.join(_POLL_SECONDS)
        # Without a milestone it ended: everything ran before, or it failed.
        if not wanted <= self._titles:
            self.until_ready()

    def until_ready(self) -> None:
        """Wait until everything is ready.

        Raises:
            StackError: it is not; the message has cause, effect and fix.
        """
        self._join()
        if self._exit_code != 0:
            cause = "\n".join(self._error) or f"up ended with exit code {self._exit_code}"
            parts = ", ".join(one.title for one in self._waiting) or "a service"
            raise StackError(
                f"the start behind the stream failed, without {parts}: {cause}\n"
                "The stream goes on. Fix the cause, then ./fraudwatch demo starts the rest, and "
                "trains a classifier unless one is active."
            )

    def _join(self) -> None:
        try:
            while self._thread.is_alive():
                self._thread.join(_POLL_SECONDS)  # in parts, so that Ctrl-C is noticed
        except KeyboardInterrupt:
            self._interrupt()
            raise

    def _interrupt(self) -> None:
        self._is_cancelled.set()
        if self._process is not None and self._process.poll() is None:
            # With its children: an installer that it runs ends as well.
            os.killpg(self._process.pid, signal.SIGINT)
            self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        self._waiting.extend(self._plan())
        if self._is_cancelled.is_set():
            return
        # A group of its own, so that Ctrl-C reaches it once, and in order.
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        with self._process:
            for line in self._process.stderr or ():
                self._read(line.rstrip("\n"))
        self._exit_code = self._process.returncode

    def _read(self, line: str) -> None:
        if self._error or line.startswith(_ERROR):
            self._error.append(line.removeprefix(_ERROR))
        elif (ready := parse_ready_line(line)) is None:
            self._notify(f"     {line}")
        else:
            self._ready.add(ready.service)
            for milestone in [one for one in self._waiting if one.services <= self._ready]:
                self._waiting.remove(milestone)
                self._reached(f"{milestone.title} ready", milestone.hint)
                self._titles.add(milestone.title)
