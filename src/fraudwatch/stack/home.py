"""Locate the checkout, the installed tools shared by all homes, and one home's state."""

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
LOOPBACK = "127.0.0.1"
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104  of a container: only the ports that compose publishes are open
# sun_path has 108 bytes; supervisord binds a longer temporary name first.
LONGEST_SOCKET_PATH = 90


class StackError(Exception):
    """The stack cannot run a command; the message has cause, effect and fix."""


@dataclass(frozen=True, kw_only=True)
class Home:
    """One home of one checkout: the stack writes only to its folder and to the runtime folder."""

    root: Path
    runtime: Path
    folder: Path
    in_containers: bool = False
    """Whether each service has a host of its own name, as in docker-compose.yml."""

    @classmethod
    def from_environment(cls) -> Home:
        """Read FRAUDWATCH_HOME, _RUNTIME and _IN_CONTAINERS; only composition roots call this."""
        return cls(
            root=ROOT,
            runtime=Path(os.environ.get("FRAUDWATCH_RUNTIME") or ROOT / ".runtime").resolve(),
            folder=Path(os.environ.get("FRAUDWATCH_HOME") or ROOT / "var").resolve(),
            in_containers=bool(os.environ.get("FRAUDWATCH_IN_CONTAINERS")),
        )

    def host(self, service: str) -> str:
        """Return the host at which the other services reach this one."""
        return service if self.in_containers else LOOPBACK

    @property
    def listen_address(self) -> str:
        """Address on which an engine listens: this machine alone, or all of its container's."""
        return EVERY_ADDRESS if self.in_containers else LOOPBACK

    @property
    def env_file(self) -> Path:
        """Path of this home's .env: in its folder, or for the default home in the checkout.

        The default home may be a symlink to another disk, and its .env may be in either folder.

        Raises:
            StackError: both folders have one, and they differ.
        """
        own, checkout = self.folder / ".env", self.root / ".env"
        if self.folder.resolve() != (self.root / "var").resolve():
            return own
        return _same_settings(checkout, own).resolve()  # writing through the path keeps a symlink

    @property
    def log_folder(self) -> Path:
        """Folder of the logs, one file per service."""
        return self.folder / "log"

    @property
    def run_folder(self) -> Path:
        """Folder of files that exist only while the stack runs."""
        return self.folder / "run"

    @property
    def rates_file(self) -> Path:
        """Path of this home's exchange rates, if `rates fetch` or the operator made some."""
        return self.folder / "rates/eur.csv"

    @property
    def default_rates_file(self) -> Path:
        """Path of the shipped exchange rates, in use where the home has none."""
        return self.root / "contracts/rates/eur.csv"

    @property
    def environments(self) -> Path:
        """Folder of the Python environments, one per kind of service."""
        return self.runtime / "envs"

    @property
    def jars(self) -> Path:
        """Folder of the verified jars, one folder per lock file."""
        return self.runtime / "jars"

    @property
    def mark(self) -> str:
        """Value of the environment variable that marks this home's processes and their children."""
        return hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]

    @cached_property
    def socket(self) -> Path:
        """Path of supervisord's socket, in a short private folder if the home's is too long."""
        near = self.run_folder / "supervisor.sock"
        if len(os.fsencode(near)) <= LONGEST_SOCKET_PATH:
            return near
        base = Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp")  # noqa: S108  checked for ownership below
        return _private(base / f"fraudwatch-{os.getuid()}-{self.mark}") / "s.sock"

    def make_folders(self) -> None:
        """Create the home's folders, readable by their owner only."""
        for folder in (self.folder, self.log_folder, self.run_folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _same_settings(checkout: Path, own: Path) -> Path:
    """Return the file that exists; of two that agree, the one with more lines."""
    if not own.exists():
        return checkout
    if not checkout.exists():
        return own
    lines, own_lines = (set(path.read_text("utf-8").splitlines()) for path in (checkout, own))
    if lines >= own_lines:
        return checkout
    if own_lines >= lines:
        return own
    raise StackError(
        f"{checkout} and {own} differ and either could hold this home's secrets, so nothing was "
        "started; keep the one that its data was created with, usually the older, and move the "
        "other away"
    )


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) != stat.S_IRWXU:
        raise StackError(
            f"{folder} belongs to another user or is open to others, so the supervisor's socket "
            "must not be there; remove it or choose a shorter FRAUDWATCH_HOME"
        )
    return folder


def write_private(path: Path, text: str) -> None:
    """Write a file with secrets atomically, readable by its owner only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Two services that start at the same time may write the same file, each in its own thread.
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
