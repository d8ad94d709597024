"""Files of the lake for jobs without Spark: atomic writes, and folders moved atomically."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol


class LakeUnavailable(ConnectionError):
    """The lake cannot be read or written now; the message gives the cause and the fix."""


class LakeFiles(Protocol):
    """Files of the lake. Paths are absolute, with ``/``; folders are created with their first file.

    Every method may raise :class:`LakeUnavailable`.
    """

    def write(self, path: str, chunks: Iterable[bytes]) -> int:
        """Write or replace a file atomically; return its size in bytes.

        Until this returns the old file or none is there, also when ``chunks`` raises.
        """

    def create(self, path: str, content: bytes) -> bool:
        """Create a small file; False when it exists already."""

    def read(self, path: str) -> Iterator[bytes]:
        """Read a file in chunks.

        Raises:
            FileNotFoundError: there is no such file; before the first chunk.
        """

    def names(self, folder: str) -> list[str]:
        """List the names in a folder, sorted; empty when there is no folder."""

    def exists(self, path: str) -> bool:
        """Return whether a file or folder of this path exists."""

    def move(self, path: str, target: str) -> bool:
        """Move a file or folder atomically; False when the target exists already.

        Raises:
            FileNotFoundError: there is nothing at ``path``.
        """

    def remove(self, path: str) -> bool:
        """Remove a file, or a folder with its contents; True if it existed."""


def lines_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Split a file's chunks into lines, without their line feeds."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest


def content_of(files: LakeFiles, path: str) -> bytes | None:
    """Read a whole small file; None when there is none."""
    try:
        return b"".join(files.read(path))
    except FileNotFoundError:
        return None
