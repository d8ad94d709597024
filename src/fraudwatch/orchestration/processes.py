"""Start and end job processes, so that none outlives the task that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from contextlib import suppress
from typing import Any

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of linux/prctl.h
_libc = ctypes.CDLL(None)


def _die_with_parent() -> None:
    # A task killed by SIGKILL cannot end its job, which would go on writing beside its own retry.
    _libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)


def tied_to_task() -> dict[str, Any]:
    """Build arguments of Popen for a process group that always ends with the task."""
    return {"process_group": 0, "preexec_fn": _die_with_parent}


def end_group(process: subprocess.Popen[Any], *, grace_seconds: float = 15.0) -> None:
    """Terminate the whole process group, and kill it after the grace period."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(grace_seconds)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
