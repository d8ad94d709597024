"""List what of a home belongs into a backup, in the order in which it is copied."""

from __future__ import annotations

import os
from collections.abc import Iterator
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
    """Return the bytes of these files."""
    return sum((folder / name).lstat().st_size for name in names)


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
