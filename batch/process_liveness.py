"""Names of processes that others of the same machine can look for."""

from __future__ import annotations

import os
import socket


def process_name() -> str:
    """This process: host and number."""
    return f"{socket.gethostname()}:{os.getpid()}"


def is_gone(name: str) -> bool:
    """Has a process of this machine ended? False where that cannot be known."""
    host, _, number = name.rpartition(":")
    if host != socket.gethostname() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
