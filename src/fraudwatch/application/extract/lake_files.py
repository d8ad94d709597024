"""Files of the lake for jobs without Spark: whole or not at all, folders that appear at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol


class LakeUnavailable(ConnectionError):
    """The lake cannot be read or written now; the text says why and what helps."""


class LakeFiles(Protocol):
    """Paths are absolute, with ``/``; folders come into being with their first file.

    Every method may raise :class:`LakeUnavailable`.
    """

    def write(self, path: str, chunks: Iterable[bytes]) -> int:
        """Write a file as a whole, in place of one that is there; the answer is its bytes.

        Until this returns there is the old file or none, also when ``chunks`` raises.
        """

    def create(self, path: str, content: bytes) -> bool:
        """Write a small file that nobody else wrote; False when there is one."""

    def read(self, path: str) -> Iterator[bytes]:
        """A file in chunks.

        Raises:
            FileNotFoundError: there is none; before the first chunk.
        """

    def names(self, folder: str) -> list[str]:
        """What lies in a folder, in the order of the names; nothing where there is no folder."""

    def exists(self, path: str) -> bool:
        """Is there a file or folder of this path?"""

    def move(self, path: str, target: str) -> bool:
        """Give a file or folder another path at once; False when the target is there already.

        Raises:
            FileNotFoundError: there is nothing at ``path``.
        """

    def remove(self, path: str) -> bool:
        """Remove a file, or a folder with all in it; True if there was one."""


def lines_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a file in chunks, without their line feeds."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest


def content_of(files: LakeFiles, path: str) -> bytes | None:
    """All of a small file; None where there is none."""
    try:
        return b"".join(files.read(path))
    except FileNotFoundError:
        return None
