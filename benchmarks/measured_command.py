"""A command run to its end: its time, its last line, and the most memory it and its own took."""

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
from benchmarks.process_use import of_tree

_LOOK_SECONDS = 0.2
_TOLD_CHARACTERS = 4_000


def run_measured(
    name: str,
    words: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    seconds: float,
) -> StepRun:
    """Run it; ``exit_code`` says whether it went well.

    Args:
        name: What the step is called.
        words: The command.
        environment: All of its variables.
        folder: Where it runs.
        seconds: After so long it is killed.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        began = time.monotonic()
        command = subprocess.Popen(
            ["nice", *words], env=dict(environment), cwd=folder, stdout=out, stderr=errors
        )
        peak = _Peak(command.pid)
        try:
            exit_code = command.wait(timeout=seconds)
        finally:
            took = time.monotonic() - began
            peak.stop()
            _end(command)
        out.seek(0)
        errors.seek(0)
        lines = out.read().splitlines()
        return StepRun(
            name=name,
            seconds=took,
            peak_rss_mib=peak.mib,
            exit_code=exit_code,
            last_line=lines[-1] if lines else "",
            trouble=errors.read()[-_TOLD_CHARACTERS:],
        )


class _Peak:
    """Looks at a process and all its children, a few times a second."""

    def __init__(self, pid: int) -> None:
        self.mib = 0
        self._pid = pid
        self._over = threading.Event()
        self._looking = threading.Thread(target=self._look, name="memory")
        self._looking.start()

    def stop(self) -> None:
        self._over.set()
        self._looking.join()

    def _look(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            self.mib = max(self.mib, of_tree(self._pid)[1])


def _end(command: subprocess.Popen[bytes]) -> None:
    """Kill what is left of it, Java and workers included."""
    if command.poll() is None:
        for process in psutil.Process(command.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        command.kill()
        command.wait()
