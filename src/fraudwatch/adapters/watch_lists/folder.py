"""Watch lists of the home: all CSV files of one folder, read again when they change.

A file that cannot be used leaves its last version in use, so that a broken download never switches
screening off. A file that is removed is a list that is removed.
"""

from __future__ import annotations

import hashlib
import logging
import re
from pathlib import Path
from typing import Final

from fraudwatch.adapters.watch_lists.name_index import NamedList, NameIndex
from fraudwatch.adapters.watch_lists.simple_csv import BrokenWatchList, parse_simple_csv
from fraudwatch.domain.watch_lists import MOST_NAMES, NameMatch

_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
_VERSION_DIGITS: Final = 8
log = logging.getLogger("ingest")

_Identity = tuple[int, int, int]


class WatchListFolder:
    """The lists in use; a missing folder has none. One thread refreshes, others look names up."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, _Identity] = {}
        self._broken: dict[Path, str] = {}  # and why
        self._lists: dict[Path, NamedList] = {}
        self._index = NameIndex(())

    @property
    def entries(self) -> int:
        """Entries of all lists in use."""
        return sum(len(one.entries) for one in self._lists.values())

    @property
    def is_usable(self) -> bool:
        """Whether every file is in use as it is now."""
        return not self._broken

    def best_match(self, name: str, countries: frozenset[str]) -> NameMatch | None:
        """See :class:`fraudwatch.application.intake.screening.WatchLists`."""
        return self._index.best_match(name, countries)

    def refresh(self) -> None:
        """Read files that were added or changed, and forget those that were removed."""
        paths = sorted(self._folder.glob("*.csv"))
        gone = {*self._read, *self._broken} - set(paths)
        for path in gone:
            self._read.pop(path, None)
            self._broken.pop(path, None)
        if gone:
            # There may be room for them now.
            for path in self._broken:
                self._read.pop(path, None)
        removed = [self._lists.pop(path).version for path in sorted(gone) if path in self._lists]
        for version in removed:
            log.warning("watch list %s was removed: purchases are no longer screened", version)
        changed = [self._is_read_again(path) for path in paths]
        if removed or any(changed):
            self._index = NameIndex(self._lists.values())

    def _is_read_again(self, path: Path) -> bool:
        """Return whether another version of the file is in use from now on."""
        try:
            found = path.stat()
            identity = (found.st_ino, found.st_size, found.st_mtime_ns)
            if identity == self._read.get(path):
                return False
            self._read[path] = identity
            used = _named_list(path)
            self._expect_room(path, used)
        except (OSError, BrokenWatchList) as error:
            self._refuse(path, error)
            return False
        self._broken.pop(path, None)
        before, self._lists[path] = self._lists.get(path), used
        if before is not None and before.version == used.version:
            return False
        log.info(
            "watch list %s is in use with %d entries; it screens new purchases only",
            used.version,
            len(used.entries),
        )
        return True

    def _refuse(self, path: Path, error: OSError | BrokenWatchList) -> None:
        if isinstance(error, OSError):
            self._read.pop(path, None)  # it may be temporary, so read the file again
        if self._broken.get(path) != str(error):
            log.error(
                "watch list %s cannot be used (%s), so its last version stays in use if there is "
                "one; replace the file",
                path.name,
                error,
            )
        self._broken[path] = str(error)

    def _expect_room(self, path: Path, new: NamedList) -> None:
        others = sum(one.names for at, one in self._lists.items() if at != path)
        if new.names + others > MOST_NAMES:
            raise BrokenWatchList(
                f"it has {new.names:,} names, the others {others:,}, and {MOST_NAMES:,} fit into "
                "ingest's memory; keep the lists that you have to screen"
            )


def _named_list(path: Path) -> NamedList:
    if not _NAME.fullmatch(path.stem):
        raise BrokenWatchList("its name must be of up to 32 letters, digits, - and _")
    content = path.read_bytes()
    digits = hashlib.sha256(content).hexdigest()[:_VERSION_DIGITS]
    return NamedList(f"{path.stem}@{digits}", parse_simple_csv(content))
