"""Where things lie: the checkout, the installed tools shared by all homes, and one home's state."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MARK_VARIABLE = "FRAUDWATCH_STACK"
# sun_path holds 108 bytes; supervisord binds a temporary name beside it first.
LONGEST_SOCKET_PATH = 90


class Unusable(Exception):
    """The stack cannot do what was asked; the sentence says cause, effect and cure."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One home in one checkout. Everything the stack writes is inside home or runtime."""

    root: Path
    runtime: Path
    home: Path

    @classmethod
    def from_environment(cls) -> Place:
        """The composition roots' one reading of where to be."""
        return cls(
            root=ROOT,
            runtime=Path(os.environ.get("FRAUDWATCH_RUNTIME") or ROOT / ".runtime").resolve(),
            home=Path(os.environ.get("FRAUDWATCH_HOME") or ROOT / "var").resolve(),
        )

    @property
    def env_file(self) -> Path:
        """The .env of this home: the home's own, for the default home the checkout's.

        The default home may be a symlink to another disk, and its .env may be in either folder.

        Raises:
            Unusable: both folders hold one, and they differ.
        """
        own, checkout = self.home / ".env", self.root / ".env"
        if self.home.resolve() != (self.root / "var").resolve():
            return own
        return _same_settings(checkout, own).resolve()  # a symlink stays one when it is written

    @property
    def log_folder(self) -> Path:
        """One file per service."""
        return self.home / "log"

    @property
    def run_folder(self) -> Path:
        """What exists only while the stack runs."""
        return self.home / "run"

    @property
    def environments(self) -> Path:
        """The Python environments, one per kind of service."""
        return self.runtime / "envs"

    @property
    def jars(self) -> Path:
        """The verified jars, one folder per list."""
        return self.runtime / "jars"

    @property
    def mark(self) -> str:
        """Tells this home's processes from everybody else's; inherited by all descendants."""
        return hashlib.sha256(str(self.home).encode()).hexdigest()[:16]

    @cached_property
    def socket(self) -> Path:
        """Supervisord's socket, in a short private folder where the home's path is too long."""
        near = self.run_folder / "supervisor.sock"
        if len(os.fsencode(near)) <= LONGEST_SOCKET_PATH:
            return near
        base = Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp")  # noqa: S108  checked for ownership below
        return _private(base / f"fraudwatch-{os.getuid()}-{self.mark}") / "s.sock"

    def make_folders(self) -> None:
        """The home's folders, readable by their owner only."""
        for folder in (self.home, self.log_folder, self.run_folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _same_settings(checkout: Path, own: Path) -> Path:
    """The one that exists; of two that agree the one that a start has since completed."""
    if not own.exists():
        return checkout
    if not checkout.exists():
        return own
    lines, own_lines = (set(path.read_text("utf-8").splitlines()) for path in (checkout, own))
    if lines >= own_lines:
        return checkout
    if own_lines >= lines:
        return own
    raise Unusable(
        f"{checkout} and {own} differ and either could hold this home's secrets, so nothing was "
        "started; keep the one that its data was made with, usually the older, and move the other "
        "away"
    )


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) != stat.S_IRWXU:
        raise Unusable(
            f"{folder} belongs to somebody else or is open to others, so the supervisor's socket "
            "may not lie there; remove it or choose a shorter FRAUDWATCH_HOME"
        )
    return folder


def write_private(path: Path, text: str) -> None:
    """Write a file that holds secrets: never readable by others, never half written."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Two services that start at the same time may share a file, each from its own thread.
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
