"""Install Python environments from the hashed locks in requirements/, each replaced atomically."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fraudwatch.stack.home import Home, StackError

STAMP = "installed.stamp"
Notify = Callable[[str], None]


def to_stderr(sentence: str) -> None:
    """Print progress to stderr, so that it is never mixed with a command's output."""
    sys.stderr.write(f"fraudwatch: {sentence}\n")
    sys.stderr.flush()


@contextmanager
def exclusive(path: Path, notify: Notify | None = None, waiting: str = "") -> Iterator[None]:
    """Hold an exclusive file lock; other processes wait. It ends when the process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if notify:
                notify(waiting)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def exclusive_if_free(path: Path) -> Iterator[bool]:
    """Hold an exclusive file lock if no other process does; yields whether it is held."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def stamp_of(home: Home, lock: Path) -> str:
    """Return the stamp of an environment: the checkout's path, the project file and the lock.

    The starter script `fraudwatch` compares the same text for the control environment.
    """
    project = (home.root / "pyproject.toml").read_text(encoding="utf-8")
    return f"{home.root}\n{project}{lock.read_text(encoding='utf-8')}"


def lock_of(home: Home, name: str) -> Path:
    """Return the path of the lock file of an environment."""
    return home.root / "requirements" / f"{name}.txt"


def is_current(home: Home, name: str) -> bool:
    """Whether the environment exists and was installed from the current lock."""
    folder = home.environments / name
    stamp = folder / STAMP
    return (
        (folder / "bin/python").exists()
        and stamp.exists()
        and stamp.read_text(encoding="utf-8") == stamp_of(home, lock_of(home, name))
    )


def ensure(home: Home, name: str, notify: Notify, *, project: bool = True) -> Path:
    """Install one environment unless it is current; return its folder."""
    target = home.environments / name
    if is_current(home, name):
        return target
    with exclusive(home.runtime / f"{name}.lock"):
        if not is_current(home, name):
            notify(f"installing the {name} environment ...")
            _build(home, name, project=project)
    return target


def _build(home: Home, name: str, *, project: bool) -> None:
    lock, target = lock_of(home, name), home.environments / name
    fresh = home.environments / f".{name}.building"
    shutil.rmtree(fresh, ignore_errors=True)
    interpreter = str(fresh / "bin/python")
    base = f"{sys.base_prefix}/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    _uv(home, "venv", "--relocatable", "--no-python-downloads", "--python", base, str(fresh))
    _uv(home, "pip", "sync", "--require-hashes", "--python", interpreter, str(lock))
    if project:
        offline = ("--no-deps", "--no-build-isolation", "--python", interpreter)
        _uv(home, "pip", "install", *offline, "-e", str(home.root))
    (fresh / STAMP).write_text(stamp_of(home, lock), encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def _uv(home: Home, *arguments: str) -> None:
    uv = str(home.runtime / "bootstrap/bin/uv")
    done = subprocess.run([uv, *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        raise StackError(
            f"uv {arguments[0]} failed, so nothing was changed:\n{done.stderr.strip()}\n"
            "Check the network and the disk, then start again."
        )
