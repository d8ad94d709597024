"""Install packages of the system with apt-get, where this process may install packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fraudwatch.stack import system_programs
from fraudwatch.stack.environments import Notify

SYSTEMD = Path("/run/systemd/system")
Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True, slots=True)
class SystemPackage:
    """A package: its program, what is lost without it, and whether it starts a daemon itself."""

    name: str
    program: str
    effect: str
    has_daemon: bool = False


CHROMIUM = SystemPackage("chromium", "chromium", "the console cannot be tested in a browser")
MONITORING = (
    SystemPackage("prometheus", "prometheus", "metrics are not stored", has_daemon=True),
    SystemPackage(
        "prometheus-alertmanager",
        "prometheus-alertmanager",
        "no mail is sent about alerts",
        has_daemon=True,
    ),
)


def ensure(packages: Sequence[SystemPackage], notify: Notify, run: Run | None = None) -> None:
    """Install the missing ones as root; otherwise print how to install them."""
    absent = [package for package in packages if not system_programs.find(package.program)]
    if not absent:
        return
    names = [package.name for package in absent]
    fix = f"apt-get install {' '.join(names)}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        for package in absent:
            notify(f"{package.name} is missing, so {package.effect}; fix: {fix}")
        return
    notify(f"installing {' '.join(names)} ...")
    if error := _apt_get(names, run or _run):
        notify(f"{error}; fix: {fix}")
        return
    for package in absent:
        if package.has_daemon:
            stop_daemon(package.name, run or _run)


def _apt_get(names: Sequence[str], run: Run) -> str:
    for words in (("update",), ("install", "--yes", "--no-install-recommends", *names)):
        done = run(["apt-get", "-qq", *words])
        if done.returncode:
            return f"apt-get {words[0]} failed: {done.stderr.strip()}"
    return ""


def stop_daemon(name: str, run: Run) -> None:
    """Stop and disable the daemon that Debian's package starts: the stack runs its own.

    Only after an installation by this module, so that no daemon of another user's is stopped.
    """
    if SYSTEMD.exists():
        run(["systemctl", "disable", "--now", f"{name}.service"])
    else:
        run(["service", name, "stop"])
        run(["update-rc.d", name, "disable"])


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(command), check=False, capture_output=True, text=True)
