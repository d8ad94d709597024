"""Follow a service's log across rotation."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

POLL_SECONDS = 0.3


def follow(path: Path) -> Iterator[str]:
    """Yield lines as they are written, from now on, without end."""
    file = path.open(encoding="utf-8", errors="replace")
    file.seek(0, 2)
    while True:
        if line := file.readline():
            yield line.rstrip("\n")
            continue
        time.sleep(POLL_SECONDS)
        if path.exists() and path.stat().st_ino != os.fstat(file.fileno()).st_ino:
            file.close()
            file = path.open(encoding="utf-8", errors="replace")
