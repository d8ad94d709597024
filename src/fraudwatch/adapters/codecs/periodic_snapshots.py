"""Write incremental snapshots of a running detector's state off its batch thread.

Between two batches the batch thread hands over copies of the rows that changed, a bounded number at
once, and the writer thread stores them. What is on disk, plus what was handed over, plus the rows
that still count as changed, is always the whole state. Once no changed row is left after a
hand-over, disk and hand-over together are the state at that batch's offsets: only then does the
writer record a snapshot.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from fraudwatch.adapters.codecs.snapshot_segments import Run, compacted
from fraudwatch.adapters.codecs.state_snapshots import (
    DAMAGED,
    Covered,
    Restored,
    SnapshotFolder,
)
from fraudwatch.domain.features.customer_rows import CustomerArrays
from fraudwatch.domain.features.state import CustomerState

log = logging.getLogger(__name__)

# A hand-over takes what changed since the one before it, and so many rows more. So each leaves this
# many fewer, and a snapshot completes however fast the rows change. Copying them delays the batch.
_ROWS_AT_ONCE: Final = 4_096
_NOTHING: Final = Run(0, ())


@dataclass(slots=True)
class PeriodicSnapshots:
    """Takes a snapshot periodically; the batch thread copies changed rows, a thread writes them."""

    folder: SnapshotFolder
    features_version: str
    every_seconds: float
    now_ms: Callable[[], int]
    on_written: Callable[[float], None]  # called with the time of the snapshot, epoch seconds
    topic_id: str = ""  # of the topic that is folded
    _runs: tuple[Run, ...] = ()  # of the newest snapshot
    _open: Run = _NOTHING  # rows that were written for the next one
    _is_open: bool = False
    _left: int = 0  # changed rows after the last hand-over
    _has_failed: bool = False
    _last_snapshot: float = field(default_factory=time.monotonic)
    _writing: threading.Thread | None = None

    def resume(self, restored: Restored) -> None:
        """Continue the snapshot that was restored, if it is one of this folder.

        Rows of any other state count as changed, so that the first snapshot writes all of them.
        """
        if restored.snapshot.folder == self.folder.folder:
            self._runs = restored.snapshot.runs
            self.on_written(restored.snapshot.covered.snapshot_at_ms / 1000)
        else:
            restored.state.mark_changed()

    def offer(self, state: CustomerState, ends: Mapping[int, int]) -> None:
        """Hand rows over if a snapshot is due; call between micro-batches, on committed states."""
        if not ends or (self._writing is not None and self._writing.is_alive()):
            return
        is_due = time.monotonic() - self._last_snapshot >= self.every_seconds
        if self._has_failed and is_due:
            self._begin_anew(state)
        if not self._has_failed and (is_due or self._is_open):
            self._hand_over(state, ends)

    def _begin_anew(self, state: CustomerState) -> None:
        """Write the whole state: which rows are on disk is unknown after a failed write."""
        state.mark_changed()
        self._runs, self._open, self._is_open = (), _NOTHING, False
        self._has_failed = False

    def _hand_over(self, state: CustomerState, ends: Mapping[int, int]) -> None:
        changed = state.changed
        # An eviction may have removed changed rows.
        since_last = max(0, changed - self._left) if self._is_open else 0
        rows = state.take_changed(_ROWS_AT_ONCE + since_last)
        self._left = changed - len(rows.keys)
        self._is_open = self._left > 0
        covered = None
        if not self._is_open:
            self._last_snapshot = time.monotonic()
            covered = Covered(self.features_version, dict(ends), self.now_ms(), self.topic_id)
        self._writing = threading.Thread(
            target=self._write, args=(rows, covered), name="snapshot", daemon=True
        )
        self._writing.start()

    def _write(self, rows: CustomerArrays, covered: Covered | None) -> None:
        try:
            written = tuple(self.folder.segments.write(rows))
            self._open = Run(self._open.rows + len(rows.keys), self._open.segments + written)
            if covered is not None:
                self._complete(covered)
        except DAMAGED as error:
            # The next one may succeed; until then a restart folds more of the log.
            self._has_failed, self._last_snapshot = True, time.monotonic()
            log.warning("the snapshot could not be written: %s", error)

    def _complete(self, covered: Covered) -> None:
        runs = (*self._runs, self._open) if self._open.rows else self._runs
        self.folder.add(covered, runs)
        self.on_written(covered.snapshot_at_ms / 1000)
        self._runs, self._open = runs, _NOTHING
        # The merged segments belong to the next manifest; until then they are in none.
        self._runs = compacted(self.folder.segments, runs)
