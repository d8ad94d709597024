"""Run a command to its end and measure its time and the peak memory of its process tree."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.batch_figures import StepRun
from benchmarks.process_use import usage_of_tree

_POLL_SECONDS = 0.2
_STDERR_CHARACTERS = 4_000


def run_measured(
    name: str,
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    seconds: float,
) -> StepRun:
    """Run a command and measure it; the caller checks ``exit_code``.

    Args:
        name: Name of the step.
        argv: The command.
        environment: All of its environment variables.
        folder: Its working directory.
        seconds: Time limit; then it is killed.

    Raises:
        TimeoutExpired: the time limit passed.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        began = time.monotonic()
        command = subprocess.Popen(
            ["nice", *argv], env=dict(environment), cwd=folder, stdout=out, stderr=errors
        )
        peak = _MemorySampler(command.pid)
        try:
            exit_code = command.wait(timeout=seconds)
        finally:
            took = time.monotonic() - began
            peak.stop()
            _kill_tree(command)
        out.seek(0)
        errors.seek(0)
        lines = out.read().splitlines()
        return StepRun(
            name=name,
            seconds=took,
            peak_rss_mib=peak.mib,
            exit_code=exit_code,
            last_line=lines[-1] if lines else "",
            stderr_tail=errors.read()[-_STDERR_CHARACTERS:],
        )


class _MemorySampler:
    """Sample the memory of a process and all its children, a few times a second."""

    def __init__(self, pid: int) -> None:
        self.mib = 0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory")
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(_POLL_SECONDS):
            self.mib = max(self.mib, usage_of_tree(self._pid)[1])


def _kill_tree(command: subprocess.Popen[bytes]) -> None:
    """Kill a command that still runs and its children, Java and workers included."""
    if command.poll() is None:
        for process in psutil.Process(command.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        command.kill()
        command.wait()
