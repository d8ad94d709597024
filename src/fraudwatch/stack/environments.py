"""Python environments from the hashed locks in requirements/, built beside, then moved in place."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fraudwatch.stack.place import Place, Unusable

STAMP = "installed.stamp"
Say = Callable[[str], None]


def to_stderr(sentence: str) -> None:
    """Progress, beside and never inside what a command prints."""
    sys.stderr.write(f"fraudwatch: {sentence}\n")
    sys.stderr.flush()


@contextmanager
def exclusive(path: Path, say: Say | None = None, waiting: str = "") -> Iterator[None]:
    """Hold a lock file; others wait. It ends with the process, whatever ends it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if say:
                say(waiting)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def stamp_of(place: Place, lock: Path) -> str:
    """What an environment was made of: the checkout's path, the project file and the lock.

    The starter script `fraudwatch` compares the same text for the control environment.
    """
    project = (place.root / "pyproject.toml").read_text(encoding="utf-8")
    return f"{place.root}\n{project}{lock.read_text(encoding='utf-8')}"


def lock_of(place: Place, name: str) -> Path:
    """The lock that describes an environment."""
    return place.root / "requirements" / f"{name}.txt"


def is_current(place: Place, name: str) -> bool:
    """Whether the environment stands and was made from today's lock."""
    folder = place.environments / name
    stamp = folder / STAMP
    return (
        (folder / "bin/python").exists()
        and stamp.exists()
        and stamp.read_text(encoding="utf-8") == stamp_of(place, lock_of(place, name))
    )


def ensure(place: Place, name: str, say: Say, *, project: bool = True) -> Path:
    """Make or renew one environment unless it is current; returns its folder."""
    target = place.environments / name
    if is_current(place, name):
        return target
    with exclusive(place.runtime / f"{name}.lock"):
        if not is_current(place, name):
            say(f"installing the {name} environment ...")
            _build(place, name, project=project)
    return target


def _build(place: Place, name: str, *, project: bool) -> None:
    lock, target = lock_of(place, name), place.environments / name
    fresh = place.environments / f".{name}.building"
    shutil.rmtree(fresh, ignore_errors=True)
    interpreter = str(fresh / "bin/python")
    base = f"{sys.base_prefix}/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    _uv(place, "venv", "--relocatable", "--no-python-downloads", "--python", base, str(fresh))
    _uv(place, "pip", "sync", "--require-hashes", "--python", interpreter, str(lock))
    if project:
        offline = ("--no-deps", "--no-build-isolation", "--python", interpreter)
        _uv(place, "pip", "install", *offline, "-e", str(place.root))
    (fresh / STAMP).write_text(stamp_of(place, lock), encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def _uv(place: Place, *arguments: str) -> None:
    uv = str(place.runtime / "bootstrap/bin/uv")
    done = subprocess.run([uv, *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        raise Unusable(
            f"uv {arguments[0]} failed, so nothing was changed:\n{done.stderr.strip()}\n"
            "Check the network and the disk, then start again."
        )
