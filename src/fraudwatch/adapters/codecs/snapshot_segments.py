"""Segments of a snapshot: files of some customers' rows, of which a newer row replaces older ones.

A run is what one snapshot added: the rows that changed since the one before. Runs are merged as in
a log-structured merge tree, segment by segment, so that memory never holds the whole state.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from fraudwatch.domain.arrays import UInt64s
from fraudwatch.domain.features.customer_rows import CustomerArrays, CustomerRows

SUFFIX: Final = ".npz"
UNFINISHED: Final = ".part"
SEGMENT_ROWS: Final = 16_384  # bounds what a merge and a restore hold in memory
_KEYS: Final = "keys"


class Run(NamedTuple):
    """Rows that one snapshot added, in files from the oldest to the newest."""

    rows: int
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SegmentFolder:
    """Segment files of one folder; their names are unique, so a file never changes."""

    folder: Path

    def write(self, arrays: CustomerArrays) -> Iterator[str]:
        """Write rows durably as segments of bounded size, and yield the name of each."""
        for start in range(0, len(arrays.keys), SEGMENT_ROWS):
            yield self._write(arrays.chosen(slice(start, start + SEGMENT_ROWS)))

    def read(self, name: str) -> CustomerArrays:
        """Read a segment; a damaged one raises an error of ``numpy`` or ``zipfile``."""
        with np.load(self.folder / name, allow_pickle=False) as found:
            rows = CustomerRows(*(found[field] for field in CustomerRows._fields))
            return CustomerArrays(found[_KEYS], rows)

    def customers(self, runs: Sequence[Run]) -> int:
        """Count the customers of these runs."""
        keys = [self._keys(name) for run in runs for name in run.segments]
        return len(np.unique(np.concatenate(keys))) if keys else 0

    def newest_rows(self, runs: Sequence[Run]) -> Iterator[CustomerArrays]:
        """Yield each customer's newest row, one segment at a time."""
        newest_first = [name for run in runs for name in run.segments][::-1]
        keys = [self._keys(name) for name in newest_first]
        if not keys:
            return
        _, first = np.unique(np.concatenate(keys), return_index=True)
        is_newest = np.zeros(sum(map(len, keys)), dtype=np.bool_)
        is_newest[first] = True
        bounds = list(accumulate(map(len, keys)))[:-1]
        for name, chosen in zip(newest_first, np.split(is_newest, bounds), strict=True):
            if chosen.any():
                yield self.read(name).chosen(chosen)

    def merged(self, runs: Sequence[Run]) -> Run:
        """Merge runs into one that has each customer once."""
        segments: list[str] = []
        waiting: CustomerArrays | None = None
        rows = 0
        for some in self.newest_rows(runs):
            rows += len(some.keys)
            waiting = some if waiting is None else waiting.followed_by(some)
            if len(waiting.keys) >= SEGMENT_ROWS:
                segments += self.write(waiting.chosen(slice(0, SEGMENT_ROWS)))
                waiting = waiting.chosen(slice(SEGMENT_ROWS, None))
        if waiting is not None:
            segments += self.write(waiting)
        return Run(rows, tuple(segments))

    def _write(self, arrays: CustomerArrays) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"{uuid.uuid4().hex}{SUFFIX}"
        unfinished = (self.folder / name).with_suffix(UNFINISHED)
        with unfinished.open("wb") as file:
            np.savez(file, allow_pickle=False, **{_KEYS: arrays.keys}, **arrays.rows._asdict())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.folder / name)
        return name

    def _keys(self, name: str) -> UInt64s:
        with np.load(self.folder / name, allow_pickle=False) as found:
            return np.asarray(found[_KEYS], dtype=np.uint64)


def compacted(segments: SegmentFolder, runs: Sequence[Run]) -> tuple[Run, ...]:
    """Merge the newest runs, from the first that is not longer than all newer ones together.

    Each run is then longer than all that follow it: their number grows with the logarithm of the
    state, and a row is written again as often.
    """
    newer = [sum(run.rows for run in runs[place + 1 :]) for place in range(len(runs))]
    due = [place for place, run in enumerate(runs) if run.rows <= newer[place]]
    if not due:
        return tuple(runs)
    return (*runs[: due[0]], segments.merged(runs[due[0] :]))
