"""Jars by coordinates from our own committed lists, each checked by size and sha256.

jgo fetches (its default repository) and checks a transfer only; what may be used is decided by
our list alone. A file enters its folder after it was checked, so a broken one there was altered.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fraudwatch.stack.environments import Say, exclusive
from fraudwatch.stack.place import Place, Unusable

PARALLEL_DOWNLOADS = 8
TIMEOUT_SECONDS = 60
ATTEMPTS = 3
STAMP = "verified.json"


@dataclass(frozen=True, slots=True)
class LockedJar:
    """One line of a list."""

    coordinate: str
    sha256: str
    bytes: int

    @property
    def file_name(self) -> str:
        """Maven's own name for it."""
        _, *name = self.coordinate.split(":")
        return "-".join(name) + ".jar"


def read_lock(path: Path) -> tuple[LockedJar, ...]:
    """The jars of a list; comments start with #."""
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return tuple(
        LockedJar(line[0], line[1], int(line[2]))
        for line in lines
        if line and not line[0].startswith("#")
    )


def lock_of(place: Place, name: str) -> Path:
    """The committed list behind a folder of jars."""
    return place.root / "requirements/jars" / f"{name.replace('_', '-')}.lock"


def folder_of(place: Place, name: str) -> Path:
    """Where the verified jars of a list lie."""
    return place.jars / name


def is_verified(place: Place, name: str) -> bool:
    """Whether every file is as it was when it was checked against today's list (no reading)."""
    stamp = folder_of(place, name) / STAMP
    return stamp.exists() and stamp.read_text(encoding="utf-8") == _stamp(place, name)


def altered(place: Place, name: str) -> list[str]:
    """The files that changed since they were checked (by size and time; nothing is read)."""
    stamp = folder_of(place, name) / STAMP
    if not stamp.exists():
        return []
    now, then = (json.loads(text)["files"] for text in (_stamp(place, name), stamp.read_text()))
    return sorted(file for file in now.keys() | then.keys() if now.get(file) != then.get(file))


def ensure(place: Place, name: str, say: Say) -> Path:
    """Fetch what is missing, check everything, refuse what differs; returns the folder."""
    folder = folder_of(place, name)
    if is_verified(place, name):
        return folder
    with exclusive(place.runtime / f"jars-{name}.lock"):
        folder.mkdir(parents=True, exist_ok=True)
        jars = read_lock(lock_of(place, name))
        _remove_strangers(folder, {jar.file_name for jar in jars})
        missing = [jar for jar in jars if not (folder / jar.file_name).exists()]
        for jar in jars:
            if jar not in missing:
                check(jar, folder / jar.file_name)
        if missing:
            say(f"fetching {len(missing)} jars for {name} ...")
            _fetch_all(place, folder, missing)
        (folder / STAMP).write_text(_stamp(place, name), encoding="utf-8")
    return folder


def check(jar: LockedJar, path: Path) -> None:
    """Refuse and delete a file that is not the one on our list.

    Raises:
        Unusable: it names the file, what was expected and what was found.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    size = path.stat().st_size
    if (found, size) == (jar.sha256, jar.bytes):
        return
    path.unlink()
    raise Unusable(
        f"{jar.coordinate} is not the file on our list and was deleted ({path}): expected "
        f"{jar.bytes} bytes, sha256 {jar.sha256}; got {size} bytes, sha256 {found}. "
        "Start again to fetch it anew; if that repeats, do not trust where it comes from."
    )


def _fetch_all(place: Place, folder: Path, missing: list[LockedJar]) -> None:
    # A cache of its own: what an interrupted download leaves behind never comes near the jars.
    with (
        tempfile.TemporaryDirectory(prefix="fetch-", dir=place.runtime) as cache,
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
        except (requests.RequestException, RuntimeError, OSError) as wrong:
            failure = wrong
    raise Unusable(
        f"{jar.coordinate} could not be fetched ({failure}), so the engine that needs it cannot "
        "start; check the network and start again: what was fetched is kept"
    )


def _remove_strangers(folder: Path, wanted: set[str]) -> None:
    for path in folder.glob("*.jar"):
        if path.name not in wanted:
            path.unlink()


def _stamp(place: Place, name: str) -> str:
    lock = lock_of(place, name).read_bytes()
    files = {
        path.name: [path.stat().st_size, path.stat().st_mtime_ns]
        for path in sorted(folder_of(place, name).glob("*.jar"))
    }
    return json.dumps({"lock_sha256": hashlib.sha256(lock).hexdigest(), "files": files})
