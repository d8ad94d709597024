"""Hot-reload journal: a replayed micro-batch uses the version that it used the first time.

A changed file is loaded between micro-batches. The change is logged together with the content
before it is used, so that a micro-batch replayed after a crash uses the same version.

The journal is compacted by its only writer, between micro-batches, when a version is added. An
entry, and its content if no other entry needs it, is removed when its successor came into use more
than ``KEPT_DAYS`` ago: no verdict that the lake still has was made with it, and no micro-batch that
Spark could replay used it.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Generic, NamedTuple, TypeVar

from fraudwatch.adapters.durable_file import replace_file
from fraudwatch.adapters.jsonl_journal import JsonlJournal

T = TypeVar("T")
# Longer than any table of contracts/retention.yaml keeps what is scored again, and than
# transaction_topic keeps what could be scored.
KEPT_DAYS: Final = 430
_DAY_SECONDS: Final = 86_400
log = logging.getLogger(__name__)


class NoUsableVersion(ValueError):
    """The file is invalid, and no earlier version exists."""


class _Entry(NamedTuple):
    """Journal entry: this content is used from this micro-batch on."""

    first_batch_id: int
    sha256: str


@dataclass(slots=True, kw_only=True)
class ReloadJournal(Generic[T]):
    """Watches a source file, and journals in a folder which version each micro-batch used.

    ``load`` parses a new content or raises ValueError; ``reopen`` parses one that was used before,
    from the folder alone. ``on_reload`` is called after each read of a changed file with whether it
    is valid. ``initial_content`` counts as long as there was never a file; None requires a file.
    """

    source: Path
    folder: Path
    suffix: str
    load: Callable[[bytes], T]
    reopen: Callable[[bytes], T]
    name_of: Callable[[T], str]  # for the log
    on_reload: Callable[[bool], None]
    initial_content: bytes | None = None
    _entries: list[_Entry] = field(init=False)
    _opened: tuple[str, T] | None = None
    _read_signature: tuple[int, int, int] | None = None
    _complaint: str = ""

    def __post_init__(self) -> None:
        self._entries = [_Entry(**entry) for entry in self._journal.entries()]

    def version_for_batch(self, batch_id: int, *, is_rerun: bool) -> T:
        """Return the version for a micro-batch; a first run may load a changed file.

        Raises:
            NoUsableVersion: the file is invalid, and no earlier version exists here; or the
                micro-batch is older than the journal.
        """
        has_version = is_rerun and (self._entries or self.initial_content is not None)
        if not has_version:
            self._reload(batch_id)
        if not self._entries and self.initial_content is not None:
            self._record(batch_id, self.initial_content, self.reopen(self.initial_content))
        used = [entry for entry in self._entries if entry.first_batch_id <= batch_id]
        if not used:
            raise NoUsableVersion(
                f"the journal in {self.folder} begins after micro-batch {batch_id}, so its version "
                "is unknown; the checkpoint is older than this folder: restore both of one time"
            )
        return self._open(used[-1].sha256)

    def has_version_for(self, batch_id: int) -> bool:
        """Return whether the journal knows which version a micro-batch used."""
        return any(entry.first_batch_id <= batch_id for entry in self._entries)

    @property
    def opened(self) -> T | None:
        """The version that was used last; None before the first micro-batch."""
        return None if self._opened is None else self._opened[1]

    @property
    def opened_since_seconds(self) -> float | None:
        """When the version that was used last was recorded, epoch seconds; None before a batch."""
        return None if self._opened is None else self._path(self._opened[0]).stat().st_mtime

    def latest(self, count: int) -> list[bytes]:
        """Return the contents that were used last, oldest first."""
        return [self._content(entry.sha256) for entry in self._entries[-count:]]

    def _reload(self, batch_id: int) -> None:
        """Load the file if it has changed; an invalid one is logged and the old version stays."""
        try:
            content = self._changed()
            if content is None:
                return
            made = self.load(content)
        except (OSError, ValueError) as error:
            self._refuse(error)
            return
        self._complaint = ""
        self.on_reload(True)
        self._record(batch_id, content, made)

    def _changed(self) -> bytes | None:
        """Return the file's content if it has changed since the last read."""
        if self._is_initial() and not self.source.exists():
            self.on_reload(True)
            return None
        found = self.source.stat()
        signature = (found.st_mtime_ns, found.st_size, found.st_ino)
        if signature == self._read_signature:
            return None
        content = self.source.read_bytes()
        self._read_signature = signature
        return content

    def _is_initial(self) -> bool:
        if self.initial_content is None:
            return False
        return not self._entries or self._entries[-1].sha256 == _sha256(self.initial_content)

    def _refuse(self, error: OSError | ValueError) -> None:
        if isinstance(error, OSError):
            self._read_signature = None  # it may be temporary, so read the file again
        sentence = f"{self.source} is not usable: {error}"
        if not self._entries and self.initial_content is None:
            raise NoUsableVersion(sentence) from error
        if sentence != self._complaint:
            log.error("%s; the version in use stays", sentence)
        self._complaint = sentence
        self.on_reload(False)

    def _record(self, batch_id: int, content: bytes, made: T) -> None:
        sha256 = _sha256(content)
        if self._entries and self._entries[-1].sha256 == sha256:
            return
        replace_file(self._path(sha256), content)
        entry = _Entry(batch_id, sha256)
        self._journal.append(entry._asdict())
        self._entries.append(entry)
        self._opened = (sha256, made)
        self._compact()
        log.info("from batch %d on scoring with %s", batch_id, self.name_of(made))

    def _compact(self) -> None:
        """Remove the oldest entries that are no longer needed, and their contents."""
        oldest_needed_at = time.time() - KEPT_DAYS * _DAY_SECONDS
        entries = self._entries
        first = 0
        while first + 1 < len(entries) and self._used_since(entries[first + 1]) < oldest_needed_at:
            first += 1
        if not first:
            return
        kept = entries[first:]
        needed = {entry.sha256 for entry in kept}
        for entry in entries[:first]:
            if entry.sha256 not in needed:
                self._path(entry.sha256).unlink(missing_ok=True)
        self._journal.compact(lambda found: found[-len(kept) :])
        self._entries = kept

    def _used_since(self, entry: _Entry) -> float:
        """Return when a version came into use (epoch seconds); a removed one is of no use."""
        try:
            return self._path(entry.sha256).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _open(self, sha256: str) -> T:
        if self._opened is None or self._opened[0] != sha256:
            self._opened = (sha256, self.reopen(self._content(sha256)))
        return self._opened[1]

    def _content(self, sha256: str) -> bytes:
        return self._path(sha256).read_bytes()

    def _path(self, sha256: str) -> Path:
        return self.folder / f"{sha256}{self.suffix}"

    @property
    def _journal(self) -> JsonlJournal:
        return JsonlJournal(self.folder / "used.jsonl")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
