"""A job is a process of its own, and never outlives the task that started it."""

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
    # A task killed by SIGKILL ends nothing itself: its job would write on beside its own retry.
    _libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)


def tied_to_task() -> dict[str, Any]:
    """Arguments of Popen: a group of its own, ended with the task whatever ends the task."""
    return {"process_group": 0, "preexec_fn": _die_with_parent}


def end_group(process: subprocess.Popen[Any], *, grace_seconds: float = 15.0) -> None:
    """Ask the whole group to end, and kill what is left of it after a while."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(grace_seconds)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
