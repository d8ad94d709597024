"""What was used from which batch on: hot reload that a batch which is run again does not notice.

A changed file is taken up between batches. The change is logged, with the content itself, before it
is used, so that a batch run again after a crash uses what it used.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from fraudwatch.adapters.durable_file import append_line, replace_file

T = TypeVar("T")
log = logging.getLogger(__name__)


class NothingToUse(ValueError):
    """The file is not usable, and nothing was ever in use."""


class _Use(NamedTuple):
    """From this batch on what this content says was used."""

    first_batch_id: int
    sha256: str


@dataclass(slots=True, kw_only=True)
class BookOfUses(Generic[T]):
    """The file that others change, and the folder that remembers what was used when.

    ``take_up`` makes what is used out of a content that is new, or raises ValueError; ``reopen``
    does so for one that was used before, out of the folder alone. ``on_look`` is told after each
    look at a changed file whether it is usable. ``before_any`` is the content that counts as long
    as there never was a file; where it is None there must be one.
    """

    source: Path
    folder: Path
    suffix: str
    take_up: Callable[[bytes], T]
    reopen: Callable[[bytes], T]
    name_of: Callable[[T], str]  # for the log
    on_look: Callable[[bool], None]
    before_any: bytes | None = None
    _uses: list[_Use] = field(init=False)
    _opened: tuple[str, T] | None = None
    _looked_at: tuple[int, int, int] | None = None
    _complaint: str = ""

    def __post_init__(self) -> None:
        self._uses = _read(self._log) if self._log.exists() else []

    def used_in(self, batch_id: int, *, is_rerun: bool) -> T:
        """What a batch uses; one that begins for the first time may bring a changed file in.

        Raises:
            NothingToUse: the file is not usable, and nothing was ever in use here.
        """
        began_with_it = is_rerun and (self._uses or self.before_any is not None)
        if not began_with_it:
            self._look(batch_id)
        if not self._uses and self.before_any is not None:
            self._use(batch_id, self.before_any, self.reopen(self.before_any))
        used = [use for use in self._uses if use.first_batch_id <= batch_id]
        return self._open(used[-1].sha256)

    def latest(self, count: int) -> list[bytes]:
        """The contents that were used last, oldest first."""
        return [self._content(use.sha256) for use in self._uses[-count:]]

    def _look(self, batch_id: int) -> None:
        """Take the file up if it has changed; a broken one is told and the old one stays."""
        try:
            content = self._changed()
            if content is None:
                return
            made = self.take_up(content)
        except (OSError, ValueError) as error:
            self._refuse(error)
            return
        self._complaint = ""
        self.on_look(True)
        self._use(batch_id, content, made)

    def _changed(self) -> bytes | None:
        """The file's content if nobody has looked at it yet."""
        if self._is_before_any() and not self.source.exists():
            self.on_look(True)
            return None
        found = self.source.stat()
        signature = (found.st_mtime_ns, found.st_size, found.st_ino)
        if signature == self._looked_at:
            return None
        content = self.source.read_bytes()
        self._looked_at = signature
        return content

    def _is_before_any(self) -> bool:
        if self.before_any is None:
            return False
        return not self._uses or self._uses[-1].sha256 == _sha256(self.before_any)

    def _refuse(self, error: OSError | ValueError) -> None:
        if isinstance(error, OSError):
            self._looked_at = None  # it may pass by itself, so look again
        sentence = f"{self.source} is not usable: {error}"
        if not self._uses and self.before_any is None:
            raise NothingToUse(sentence) from error
        if sentence != self._complaint:
            log.error("%s; what is in use stays", sentence)
        self._complaint = sentence
        self.on_look(False)

    def _use(self, batch_id: int, content: bytes, made: T) -> None:
        sha256 = _sha256(content)
        if self._uses and self._uses[-1].sha256 == sha256:
            return
        replace_file(self.folder / f"{sha256}{self.suffix}", content)
        append_line(self._log, json.dumps({"first_batch_id": batch_id, "sha256": sha256}))
        self._uses.append(_Use(batch_id, sha256))
        self._opened = (sha256, made)
        log.info("from batch %d on judging by %s", batch_id, self.name_of(made))

    def _open(self, sha256: str) -> T:
        if self._opened is None or self._opened[0] != sha256:
            self._opened = (sha256, self.reopen(self._content(sha256)))
        return self._opened[1]

    def _content(self, sha256: str) -> bytes:
        return (self.folder / f"{sha256}{self.suffix}").read_bytes()

    @property
    def _log(self) -> Path:
        return self.folder / "used.jsonl"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(path: Path) -> list[_Use]:
    """The uses so far; a line that a crash tore, always the last, is removed."""
    uses = []
    text = path.read_text(encoding="utf-8")
    for line in text.splitlines():
        try:
            uses.append(_Use(**json.loads(line)))
        except ValueError:
            log.warning("%s: removed a line that was not finished, before it was used", path.name)
    whole = "".join(f"{json.dumps(use._asdict())}\n" for use in uses)
    if whole != text:
        # The next line would else be glued to the torn one, and both be lost.
        replace_file(path, whole.encode())
    return uses
