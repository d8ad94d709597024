"""Download jars by coordinates from committed lock files, each verified by size and sha256.

jgo downloads (from its default repository) and only checks the transfer; the lock file alone
decides which file may be used. A file is verified before it enters its folder, so a wrong file
there was altered later.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fraudwatch.stack.environments import Notify, exclusive
from fraudwatch.stack.home import Home, StackError

PARALLEL_DOWNLOADS = 8
TIMEOUT_SECONDS = 60
ATTEMPTS = 3
STAMP = "verified.json"


@dataclass(frozen=True, slots=True)
class LockedJar:
    """One line of a lock file: coordinate, checksum and size of a jar."""

    coordinate: str
    sha256: str
    bytes: int

    @property
    def file_name(self) -> str:
        """File name of the jar, as Maven builds it."""
        _, *name = self.coordinate.split(":")
        return "-".join(name) + ".jar"


def read_lock(path: Path) -> tuple[LockedJar, ...]:
    """Read the jars of a lock file; comments start with #."""
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return tuple(
        LockedJar(line[0], line[1], int(line[2]))
        for line in lines
        if line and not line[0].startswith("#")
    )


def lock_of(home: Home, name: str) -> Path:
    """Return the path of the lock file of a jar folder."""
    return home.root / "requirements/jars" / f"{name.replace('_', '-')}.lock"


def folder_of(home: Home, name: str) -> Path:
    """Return the folder of a lock file's verified jars."""
    return home.jars / name


def is_verified(home: Home, name: str) -> bool:
    """Whether no file changed since it was verified against the current lock (nothing is read)."""
    stamp = folder_of(home, name) / STAMP
    return stamp.exists() and stamp.read_text(encoding="utf-8") == _stamp(home, name)


def altered(home: Home, name: str) -> list[str]:
    """List the files that changed since they were verified (by size and time; nothing is read)."""
    stamp = folder_of(home, name) / STAMP
    if not stamp.exists():
        return []
    now, then = (json.loads(text)["files"] for text in (_stamp(home, name), stamp.read_text()))
    return sorted(file for file in now.keys() | then.keys() if now.get(file) != then.get(file))


def ensure(home: Home, name: str, notify: Notify) -> Path:
    """Download missing jars, verify all, refuse files that differ; return the folder."""
    folder = folder_of(home, name)
    if is_verified(home, name):
        return folder
    with exclusive(home.runtime / f"jars-{name}.lock"):
        folder.mkdir(parents=True, exist_ok=True)
        jars = read_lock(lock_of(home, name))
        _remove_unlisted(folder, {jar.file_name for jar in jars})
        missing = [jar for jar in jars if not (folder / jar.file_name).exists()]
        for jar in jars:
            if jar not in missing:
                check(jar, folder / jar.file_name)
        if missing:
            notify(f"downloading {len(missing)} jars for {name} ...")
            _fetch_all(home, folder, missing)
        (folder / STAMP).write_text(_stamp(home, name), encoding="utf-8")
    return folder


def check(jar: LockedJar, path: Path) -> None:
    """Verify a jar; delete it if it is not the file in the lock.

    Raises:
        StackError: it differs; the message has the expected and the actual size and hash.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    size = path.stat().st_size
    if (found, size) == (jar.sha256, jar.bytes):
        return
    path.unlink()
    raise StackError(
        f"{jar.coordinate} is not the file in the lock and was deleted ({path}): expected "
        f"{jar.bytes} bytes, sha256 {jar.sha256}; got {size} bytes, sha256 {found}. "
        "Start again to download it; if that repeats, do not trust its source."
    )


def _fetch_all(home: Home, folder: Path, missing: list[LockedJar]) -> None:
    # A separate cache: parts of an interrupted download never get into the jar folder.
    with (
        tempfile.TemporaryDirectory(prefix="fetch-", dir=home.runtime) as cache,
        ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool,
    ):
        list(pool.map(lambda jar: _fetch(jar, Path(cache), folder), missing))


def _fetch(jar: LockedJar, cache: Path, folder: Path) -> None:
    fetched = _download(jar, cache)
    check(jar, fetched)
    shutil.move(fetched, folder / jar.file_name)


def _download(jar: LockedJar, cache: Path) -> Path:
    import requests  # jgo's own transport, for its errors
    from jgo.maven import MavenContext

    group, artifact, version, *classifier = jar.coordinate.split(":")
    for attempt in range(1, ATTEMPTS + 1):
        context = MavenContext(repo_cache=cache / str(attempt), timeout=TIMEOUT_SECONDS)
        component = context.project(group, artifact).at_version(version)
        try:
            return Path(component.artifact(*classifier).resolve())
        except (requests.RequestException, RuntimeError, OSError) as error:
            failure = error
    raise StackError(
        f"{jar.coordinate} could not be downloaded ({failure}), so the engine that needs it cannot "
        "start; check the network and start again: downloaded jars are kept"
    )


def _remove_unlisted(folder: Path, wanted: set[str]) -> None:
    for path in folder.glob("*.jar"):
        if path.name not in wanted:
            path.unlink()


def _stamp(home: Home, name: str) -> str:
    lock = lock_of(home, name).read_bytes()
    files = {
        path.name: [path.stat().st_size, path.stat().st_mtime_ns]
        for path in sorted(folder_of(home, name).glob("*.jar"))
    }
    return json.dumps({"lock_sha256": hashlib.sha256(lock).hexdigest(), "files": files})
