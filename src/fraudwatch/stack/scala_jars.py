"""Compile our Scala classes for the engines, with the compiler in the pyspark wheel."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from fraudwatch.stack.environments import Notify, exclusive, lock_of
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.wheel_jars import pyspark_folder


@dataclass(frozen=True, slots=True)
class ScalaJar:
    """A Scala source, or a folder of them, and its compiled jar: {jars.NAME} of services.toml."""

    name: str
    source: str
    environment_name: str
    """Environment whose pyspark it is compiled with and for."""
    purpose: str

    @property
    def file_name(self) -> str:
        """File name of the jar."""
        return f"{self.name.replace('_', '-')}.jar"

    def files(self, root: Path) -> list[Path]:
        """Return the sources in a checkout, in a fixed order."""
        source = root / self.source
        return sorted(source.glob("*.scala")) if source.is_dir() else [source]


SCALA_JARS = {
    jar.name: jar
    for jar in (
        ScalaJar(
            "detector_classes",
            "docker/spark",
            "detector",
            "the detector's file system of checkpoints and reader of micro-batches",
        ),
        ScalaJar(
            "confined_thrift_server",
            "docker/hive/thrift_server",
            "lake",
            "the Thrift Server's checks of passwords and rights",
        ),
        ScalaJar(
            "loopback_socket",
            "docker/hive/LoopbackSocket.scala",
            "lake",
            "the metastore's socket, on 127.0.0.1 only",
        ),
    )
}


def path_of(home: Home, jar: ScalaJar) -> Path:
    """Return the path of the compiled jar."""
    return home.jars / jar.file_name


def is_current(home: Home, jar: ScalaJar) -> bool:
    """Whether the jar was compiled from the current source and lock."""
    stamp = path_of(home, jar).with_suffix(".stamp")
    return path_of(home, jar).exists() and stamp.exists() and stamp.read_text() == _stamp(home, jar)


def ensure(home: Home, jar: ScalaJar, java_home: Path, notify: Notify) -> Path:
    """Compile the jar unless it is current; its environment must be installed."""
    if not is_current(home, jar):
        with exclusive(home.runtime / f"{jar.name}.lock"):
            if not is_current(home, jar):
                notify(f"compiling {jar.purpose} ...")
                _compile(home, jar, java_home)
    return path_of(home, jar)


def _compile(home: Home, jar: ScalaJar, java_home: Path) -> None:
    target, sources = path_of(home, jar), jar.files(home.root)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".building-{target.name}")
    command = [
        f"{java_home}/bin/java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp",
        f"{pyspark_folder(home, jar.environment_name)}/jars/*", "scala.tools.nsc.Main",
        "-usejavacp", "-d", str(fresh), *map(str, sources),
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode or not fresh.exists():
        raise StackError(
            f"{home.root / jar.source} does not compile, so what needs it cannot start "
            f"({jar.purpose}):\n"
            f"{done.stdout}{done.stderr}"
        )
    fresh.rename(target)
    target.with_suffix(".stamp").write_text(_stamp(home, jar))


def _stamp(home: Home, jar: ScalaJar) -> str:
    content = b"".join(path.read_bytes() for path in jar.files(home.root))
    return hashlib.sha256(content + lock_of(home, jar.environment_name).read_bytes()).hexdigest()
