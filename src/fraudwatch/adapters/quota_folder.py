"""States of sources under the dead-letter quota: one JSON file a source, in one folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec

from fraudwatch.adapters.durable_file import replace_file
from fraudwatch.application.dead_letters.quota import QuotaState

FOLDER: Final = "quota"
_SUFFIX: Final = ".json"
_SOURCE: Final = re.compile(r"[A-Za-z0-9_.-]{1,80}")


class BrokenQuotaState(RuntimeError):
    """A file of the folder is not a state."""


class QuotaFolder:
    """``QuotaStates`` in files; another process may change them at any time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, source: str) -> QuotaState | None:
        try:
            content = self._path(source).read_bytes()
        except FileNotFoundError:
            return None
        try:
            return msgspec.json.decode(content, type=QuotaState)
        except msgspec.DecodeError as error:
            raise BrokenQuotaState(
                f"{self._path(source)} is no state of a source ({error}), so it is unknown whether "
                f"{source} is paused; remove the file to go on without a pause"
            ) from error

    def write(self, state: QuotaState) -> None:
        replace_file(self._path(state.source), msgspec.json.encode(state))

    def listed(self) -> list[QuotaState]:
        names = sorted(path.name for path in self._folder.glob(f"*{_SUFFIX}"))
        found = (self.read(name.removesuffix(_SUFFIX)) for name in names)
        return [state for state in found if state is not None]

    def _path(self, source: str) -> Path:
        if not _SOURCE.fullmatch(source):
            raise ValueError("a source has at most 80 of the characters A-Z a-z 0-9 _ . -")
        return self._folder / f"{source}{_SUFFIX}"
