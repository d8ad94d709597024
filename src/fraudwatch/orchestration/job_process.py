"""Run a batch job as a process: output to the task's log, a failure as one sentence."""

from __future__ import annotations

import shlex
import signal
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from fraudwatch.observability.failure_reason import VARIABLE, last_sentence, reason_file
from fraudwatch.orchestration.processes import end_group, tied_to_task

KEPT_LINES: Final = 500
# A shell and Spark's launcher report a signal as 128 and its number.
_SHELL_SIGNAL: Final = 128


class JobFailed(RuntimeError):
    """A job failed; the message is the reason it gave: cause, effect and fix."""


class JobProcess:
    """One run of a job."""

    def __init__(
        self, command: Sequence[str], *, name: str, environment: Mapping[str, str], log: Any
    ) -> None:
        """Prepare the job; ``name`` is used in messages, ``log`` is the task's."""
        self._command = command
        self._name = name
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    def run(self, folder: Path | None = None) -> Sequence[str]:
        """Run the job, in this folder if given, and return the end of its output.

        Raises:
            JobFailed: its exit code was not 0.
        """
        self._log.debug("command: %s", shlex.join(self._command))
        with reason_file() as reason:
            process = self._process = self._start(folder, reason.path)
            lines = self._log_output(process)
            recorded = reason.text()
        if code := process.returncode:
            raise JobFailed(reason_of(self._name, code, recorded, lines))
        return lines

    def _start(self, folder: Path | None, reason: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command,
            cwd=folder,
            env={**self._environment, VARIABLE: str(reason)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # one pipe keeps the order of lines
            text=True,
            errors="backslashreplace",
            **tied_to_task(),
        )

    def _log_output(self, process: subprocess.Popen[str]) -> Sequence[str]:
        kept = deque[str](maxlen=KEPT_LINES)
        for raw in process.stdout or ():
            if line := raw.rstrip():
                kept.append(line)
                self._log.info("%s", line)
        process.wait()
        return kept

    def end(self) -> None:
        """End the job and all processes that it started."""
        if self._process is not None:
            end_group(self._process)


def reason_of(name: str, code: int, recorded: str, lines: Sequence[str]) -> str:
    """Determine why a job failed: its signal, or its recorded reason, or a line of its output."""
    return (
        _killed(name, code)
        or recorded
        or last_sentence(lines)
        or f"{name} ended with exit code {code} and gave no reason; read its log"
    )


def _killed(name: str, code: int) -> str | None:
    number = -code if code < 0 else code - _SHELL_SIGNAL
    if number not in {known.value for known in signal.Signals}:
        return None
    guess = " (out of memory?)" if number == signal.SIGKILL else ""
    return (
        f"{name} was killed by signal {number}{guess}, so it gave no reason. Its unfinished work "
        "changed nothing. ./fraudwatch doctor shows the free memory; then run it again"
    )
