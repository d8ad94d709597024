"""Find programs of the system that services run, and leave out services without theirs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable

from fraudwatch.stack.catalogue import Catalogue

# Packages install servers here, and a user's PATH often lacks it.
_SERVER_FOLDERS = ("/usr/local/sbin", "/usr/sbin")


def find(program: str) -> str | None:
    """Find a program's absolute path; None if it is not installed."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SERVER_FOLDERS))
    return shutil.which(program, path=path)


def runnable_profile(catalogue: Catalogue, profile: str) -> tuple[str, ...]:
    """Return a profile's services without those whose program is missing, in order of start."""
    names = catalogue.profile(profile)
    absent = missing(catalogue, names)
    return tuple(name for name in names if name not in absent)


def missing(catalogue: Catalogue, names: Iterable[str]) -> tuple[str, ...]:
    """Return the services whose program is not installed."""
    programs = {name: catalogue.services[name].program for name in names}
    return tuple(name for name, program in programs.items() if program and not find(program))


def missing_lines(catalogue: Catalogue, profile: str) -> list[str]:
    """Return one line per missing program: services that are left out, and how to install it."""
    by_fix: dict[str, list[str]] = {}
    for name in missing(catalogue, catalogue.profile(profile)):
        by_fix.setdefault(catalogue.services[name].program_fix, []).append(name)
    return [
        f"without {' and '.join(names)}: not installed on this machine; fix: {fix}"
        for fix, names in by_fix.items()
    ]
