"""Compiles docker/spark/FastLocalFileSystem.scala with the compiler inside the pyspark wheel."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from fraudwatch.stack.environments import Say, exclusive
from fraudwatch.stack.place import Place, Unusable

NAME = "fast_local_file_system"


def path_of(place: Place) -> Path:
    """Where the compiled jar lies."""
    return place.jars / "fast-local-file-system.jar"


def is_current(place: Place) -> bool:
    """Whether the jar was compiled from today's source and detector lock."""
    stamp = path_of(place).with_suffix(".stamp")
    return path_of(place).exists() and stamp.exists() and stamp.read_text() == _stamp(place)


def ensure(place: Place, java_home: Path, say: Say) -> Path:
    """Compile unless it is current; needs the detector's environment."""
    if is_current(place):
        return path_of(place)
    with exclusive(place.runtime / f"{NAME}.lock"):
        if not is_current(place):
            say("compiling the local file system for Spark's checkpoint ...")
            _compile(place, java_home)
    return path_of(place)


def _compile(place: Place, java_home: Path) -> None:
    jar = path_of(place)
    jar.parent.mkdir(parents=True, exist_ok=True)
    fresh = jar.with_name(f".building-{jar.name}")
    pyspark = next((place.environments / "detector").glob("lib/python*/site-packages/pyspark"))
    command = [
        f"{java_home}/bin/java", "-Xmx512m", "-cp", f"{pyspark}/jars/*", "scala.tools.nsc.Main",
        "-usejavacp", "-d", str(fresh), str(_source(place)),
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode or not fresh.exists():
        raise Unusable(
            f"{_source(place)} does not compile, so the detector cannot start:\n"
            f"{done.stdout}{done.stderr}"
        )
    fresh.rename(jar)
    jar.with_suffix(".stamp").write_text(_stamp(place))


def _source(place: Place) -> Path:
    return place.root / "docker/spark/FastLocalFileSystem.scala"


def _stamp(place: Place) -> str:
    lock = place.root / "requirements/detector.txt"
    return hashlib.sha256(_source(place).read_bytes() + lock.read_bytes()).hexdigest()
