"""Compiles the few classes that engines lack with the compiler inside the pyspark wheel."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from fraudwatch.stack.environments import Say, exclusive, lock_of
from fraudwatch.stack.place import Place, Unusable
from fraudwatch.stack.wheel_jars import pyspark_folder


@dataclass(frozen=True, slots=True)
class ScalaJar:
    """One source and the jar it becomes, known in services.toml as {jars.NAME}."""

    name: str
    source: str
    environment_name: str
    """Whose pyspark it is compiled with and for."""
    purpose: str

    @property
    def file_name(self) -> str:
        """The jar's name."""
        return f"{self.name.replace('_', '-')}.jar"


SCALA_JARS = {
    jar.name: jar
    for jar in (
        ScalaJar(
            "fast_local_file_system",
            "docker/spark/FastLocalFileSystem.scala",
            "detector",
            "the local file system for Spark's checkpoint",
        ),
        ScalaJar(
            "password_file",
            "docker/hive/PasswordFile.scala",
            "lake",
            "the Thrift Server's look at passwords",
        ),
        ScalaJar(
            "loopback_socket",
            "docker/hive/LoopbackSocket.scala",
            "lake",
            "the metastore's socket, on 127.0.0.1 alone",
        ),
    )
}


def path_of(place: Place, jar: ScalaJar) -> Path:
    """Where the compiled jar lies."""
    return place.jars / jar.file_name


def is_current(place: Place, jar: ScalaJar) -> bool:
    """Whether the jar was compiled from today's source and lock."""
    stamp = path_of(place, jar).with_suffix(".stamp")
    return (
        path_of(place, jar).exists() and stamp.exists() and stamp.read_text() == _stamp(place, jar)
    )


def ensure(place: Place, jar: ScalaJar, java_home: Path, say: Say) -> Path:
    """Compile unless it is current; needs the jar's environment."""
    if not is_current(place, jar):
        with exclusive(place.runtime / f"{jar.name}.lock"):
            if not is_current(place, jar):
                say(f"compiling {jar.purpose} ...")
                _compile(place, jar, java_home)
    return path_of(place, jar)


def _compile(place: Place, jar: ScalaJar, java_home: Path) -> None:
    target, source = path_of(place, jar), place.root / jar.source
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".building-{target.name}")
    command = [
        f"{java_home}/bin/java", "-Xmx512m", "-cp",
        f"{pyspark_folder(place, jar.environment_name)}/jars/*", "scala.tools.nsc.Main",
        "-usejavacp", "-d", str(fresh), str(source),
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode or not fresh.exists():
        raise Unusable(
            f"{source} does not compile, so what needs it cannot start ({jar.purpose}):\n"
            f"{done.stdout}{done.stderr}"
        )
    fresh.rename(target)
    target.with_suffix(".stamp").write_text(_stamp(place, jar))


def _stamp(place: Place, jar: ScalaJar) -> str:
    source, lock = place.root / jar.source, lock_of(place, jar.environment_name)
    return hashlib.sha256(source.read_bytes() + lock.read_bytes()).hexdigest()
