"""List what of a home belongs into a backup, in the order in which it is copied."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

# Rendered at every start (some with passwords), temporary, or in the backup in another form.
LEFT_OUT = frozenset(
    {
        ".env",
        "airflow/logs",
        "cassandra/cassandra.yaml",
        "cassandra/tmp",
        "detector/spark",
        "hdfs/conf",
        "hdfs/tmp",
        "hive/metastore/conf",
        "hive/thrift_server",
        "hive/tmp",
        "kafka/server.properties",
        "keys",
        "log",
        "run",
    }
)
_SETTINGS = frozenset(
    {".cfg", ".conf", ".ini", ".json", ".properties", ".toml", ".xml", ".yaml", ".yml"}
)
_LARGEST_SETTINGS_BYTES = 1 << 20
_BLOCK_BYTES = 512  # the unit of st_blocks, whatever the file system
# Positions, then logs, then stores: a copy never knows of a position that its logs do not reach.
_FIRST = ("detector", "kafka")


def listed(folder: Path) -> tuple[list[str], list[str]]:
    """List the files and the folders of a home that a backup holds, relative to it."""
    files: list[str] = []
    folders: list[str] = []
    for path, is_folder in _walk(folder, PurePosixPath()):
        (folders if is_folder else files).append(str(path))
    return sorted(files, key=_order), sorted(folders)


def size_bytes(folder: Path, names: list[str]) -> int:
    """Return the bytes that these files occupy; Kafka reserves more for its indexes."""
    return sum((folder / name).stat().st_blocks * _BLOCK_BYTES for name in names)


def without_secrets(folder: Path, names: list[str], secrets: Collection[str]) -> list[str]:
    """Leave out settings that were rendered with a password: every start renders them again."""
    marks = [secret.encode() for secret in secrets if secret]
    return [name for name in names if not _is_rendered(folder / name, marks)]


def _is_rendered(path: Path, marks: list[bytes]) -> bool:
    if path.suffix not in _SETTINGS or path.stat().st_size > _LARGEST_SETTINGS_BYTES:
        return False
    content = path.read_bytes()
    return any(mark in content for mark in marks)


def _order(name: str) -> tuple[int, str]:
    first = name.split("/", 1)[0]
    return (_FIRST.index(first) if first in _FIRST else len(_FIRST), name)


def _walk(root: Path, below: PurePosixPath) -> Iterator[tuple[PurePosixPath, bool]]:
    with os.scandir(root / below) as entries:
        for entry in entries:
            path = below / entry.name
            if str(path) in LEFT_OUT:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield path, True
                yield from _walk(root, path)
            elif entry.is_file():  # a link to a file is copied as the file; sockets are left out
                yield path, False
