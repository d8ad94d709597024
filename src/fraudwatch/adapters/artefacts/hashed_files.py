"""Content-addressed files: named by their SHA-256, so that a change is detected."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fraudwatch.adapters.durable_file import replace_file

SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MIB: Final = 2**20
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HashedFiles:
    """One kind of content-addressed files: its name, suffix, fix and error class."""

    what: str
    suffix: str
    fix: str
    broken: type[ValueError]
    max_bytes: int = 512 * _MIB

    def write(self, folder: Path, content: bytes) -> str:
        """Write a file and return its hash; it is on disk when this returns."""
        self._expect_size(len(content), f"the {self.what}")
        sha256 = hashlib.sha256(content).hexdigest()
        replace_file(self._path(folder, sha256), content)
        return sha256

    def read(self, folder: Path, sha256: str) -> bytes:
        """Read the content of this hash.

        Raises:
            FileNotFoundError: it is not there (yet).
            ValueError: the kind's error class; the content does not match the hash, or is too big.
        """
        path = self._path(folder, sha256)
        try:
            self._expect_size(path.stat().st_size, path.name)
            content = path.read_bytes()
        except FileNotFoundError:
            raise FileNotFoundError(
                f"{self.what} {sha256[:12]} is not in {folder}; "
                "write it there before pointing to it"
            ) from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise self.broken(
                f"{path.name} was altered: its content has another hash; "
                f"copy it again or {self.fix}"
            )
        return content

    def copy(self, source: Path, target: Path, sha256: str) -> None:
        """Copy a file to ``target`` if it is missing there; see :meth:`read` for errors."""
        if not self._path(target, sha256).exists():
            replace_file(self._path(target, sha256), self.read(source, sha256))

    def in_folder(self, folder: Path) -> set[str]:
        """Return the hashes of the files in a folder."""
        found = (path.name.removesuffix(self.suffix) for path in folder.glob(f"*{self.suffix}"))
        return {name for name in found if SHA256.fullmatch(name)}

    def keep_only(self, folder: Path, kept: AbstractSet[str]) -> None:
        """Remove all other files; a failed removal is logged and tried again next time."""
        for sha256 in sorted(self.in_folder(folder) - kept):
            try:
                self._path(folder, sha256).unlink(missing_ok=True)
            except OSError as error:
                log.warning("the old %s %s could not be removed: %s", self.what, sha256[:12], error)

    def name_of(self, sha256: str) -> str:
        """Return the name of the file of this hash."""
        return f"{sha256}{self.suffix}"

    def _path(self, folder: Path, sha256: str) -> Path:
        return folder / self.name_of(sha256)

    def _expect_size(self, size: int, name: str) -> None:
        if size > self.max_bytes:
            raise self.broken(
                f"{name} has {size / _MIB:.0f} MiB and at most {self.max_bytes / _MIB:.0f} are "
                f"read; {self.fix}"
            )
