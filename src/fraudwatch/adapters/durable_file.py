"""Replace files atomically: after a crash the old or the new content, never a part."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file, readable by its owner only, durably on disk before this returns."""
    _draft(path, content).replace(path)
    sync_folder(path.parent)


def create_file(path: Path, content: bytes) -> bool:
    """Create a file atomically and durably; False, and nothing changed, if it exists."""
    draft = _draft(path, content)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
        sync_folder(path.parent)
    return True


def _draft(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Path(temporary)


def sync_folder(path: Path) -> None:
    """Put the names of new and replaced files in a folder on disk."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Lock a file for a change; concurrent callers wait, so that no update is lost."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (path.parent / f".{path.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
