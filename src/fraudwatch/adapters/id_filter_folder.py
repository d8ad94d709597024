"""The filter of accepted ids on disk: a file a segment, and an index that is written last."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from fraudwatch.adapters.durable_file import replace_file
from fraudwatch.application.intake.known_ids import LogPositions
from fraudwatch.domain.id_filter import Segment

log = logging.getLogger("ingest")

_INDEX: Final = "index.json"


class _Entry(msgspec.Struct, frozen=True):
    number: int
    opened_at_ms: int
    newest_at_ms: int
    ids: int
    bytes: int

    @property
    def file(self) -> str:
        return f"segment-{self.number}.bits"


class _Index(msgspec.Struct, frozen=True):
    transactions: Mapping[int, int]
    verdicts: Mapping[int, int]
    segments: tuple[_Entry, ...]


class IdFilterFolder:
    """``FilterStore`` in a folder. After a crash it is as of the last index."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._saved: dict[int, _Entry] = {}

    @property
    def saved_ids(self) -> Mapping[int, int]:
        return {number: entry.ids for number, entry in self._saved.items()}

    def load(self) -> tuple[list[Segment], LogPositions | None]:
        """Return the segments and the positions that they cover; nothing if any part is broken.

        It can be built again from the log as far as that reaches, so a broken one stops no start.
        """
        try:
            index = msgspec.json.decode((self._folder / _INDEX).read_bytes(), type=_Index)
            segments = [self._segment(entry) for entry in index.segments]
        except FileNotFoundError as error:
            if error.filename != str(self._folder / _INDEX):
                log.warning("the filter of accepted ids is built again: %s", error)
            return [], None
        except (msgspec.DecodeError, ValueError) as error:
            log.warning("the filter of accepted ids is built again: %s", error)
            return [], None
        self._saved = {entry.number: entry for entry in index.segments}
        return segments, LogPositions(index.transactions, index.verdicts)

    def save(self, segments: Sequence[Segment], covered: LogPositions) -> None:
        entries = []
        for segment in segments:
            content = segment.bits.tobytes()
            size = len(content) or self._saved[segment.number].bytes
            entry = _Entry(
                segment.number, segment.opened_at_ms, segment.newest_at_ms, segment.ids, size
            )
            if content:
                replace_file(self._folder / entry.file, content)
            entries.append(entry)
        index = _Index(covered.transactions, covered.verdicts, tuple(entries))
        replace_file(self._folder / _INDEX, msgspec.json.encode(index))
        self._saved = {entry.number: entry for entry in entries}
        kept = {_INDEX, *(entry.file for entry in entries)}
        for path in self._folder.iterdir():
            if path.name not in kept:
                path.unlink()

    def _segment(self, entry: _Entry) -> Segment:
        content = (self._folder / entry.file).read_bytes()
        if not content or len(content) != entry.bytes:
            raise ValueError(f"{entry.file} has {len(content)} bytes instead of {entry.bytes}")
        bits = array("Q")
        bits.frombytes(content)
        return Segment(entry.number, entry.opened_at_ms, entry.newest_at_ms, entry.ids, bits)
