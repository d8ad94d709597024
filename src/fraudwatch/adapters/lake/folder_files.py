"""``LakeFiles`` in a local folder: the twin of HDFS, also across processes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from fraudwatch.application.extract.lake_files import LakeUnavailable

_CHUNK_BYTES = 1 << 20


class FolderFiles:
    """See :class:`LakeFiles`; tests can make it unavailable."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.refusal = ""  # in tests: makes every call fail with this message

    def write(self, path: str, chunks: Iterable[bytes]) -> int:
        target = self._at(path)
        draft = target.with_name(f".{target.name}.{os.getpid()}.draft")
        draft.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("wb") as file:
                written = sum(file.write(chunk) for chunk in chunks)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        return written

    def create(self, path: str, content: bytes) -> bool:
        target = self._at(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError), target.open("xb") as file:
            file.write(content)
            return True
        return False

    def read(self, path: str) -> Iterator[bytes]:
        with self._at(path).open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk

    def names(self, folder: str) -> list[str]:
        at = self._at(folder)
        return sorted(entry.name for entry in at.iterdir()) if at.is_dir() else []

    def exists(self, path: str) -> bool:
        return self._at(path).exists()

    def move(self, path: str, target: str) -> bool:
        source, wanted = self._at(path), self._at(target)
        if wanted.exists():
            return False
        wanted.parent.mkdir(parents=True, exist_ok=True)
        source.rename(wanted)
        return True

    def remove(self, path: str) -> bool:
        at = self._at(path)
        was_there = at.exists()
        if at.is_dir():
            shutil.rmtree(at)
        else:
            at.unlink(missing_ok=True)
        return was_there

    def _at(self, path: str) -> Path:
        if self.refusal:
            raise LakeUnavailable(self.refusal)
        return self._root / path.lstrip("/")
