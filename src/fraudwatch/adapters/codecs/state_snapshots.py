"""Snapshots of the detector's state: one file each, written atomically.

A snapshot records its offsets and its features version. A restart restores the newest one that
covers nothing beyond Spark's committed offsets, and folds the rest from the log (Flink's scheme:
snapshot plus rewinding the source).
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fraudwatch.domain.features.state import CustomerArrays, CustomerRows, CustomerState

log = logging.getLogger(__name__)

_KEPT = 3
_SUFFIX = ".npz"
_UNFINISHED = ".part"


class Covered(NamedTuple):
    """Features version and offsets that a snapshot covers."""

    features_version: str
    ends: Mapping[int, int]  # by partition, the first offset that is not covered
    snapshot_at_ms: int


class Restored(NamedTuple):
    """Restored state and what it covers."""

    state: CustomerState
    covered: Covered


@dataclass(frozen=True, slots=True)
class SnapshotFolder:
    """Snapshots of one detector; the newest are kept, older ones removed."""

    folder: Path

    def write(self, arrays: CustomerArrays, covered: Covered) -> None:
        """Write a snapshot, durably on disk before this returns."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{covered.snapshot_at_ms:015d}{_SUFFIX}"
        unfinished = path.with_suffix(_UNFINISHED)
        with unfinished.open("wb") as file:
            np.savez(file, about=_as_bytes(covered), keys=arrays.keys, **arrays.rows._asdict())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        for old in self._newest_first()[_KEPT:]:
            old.unlink()

    def newest(self, features_version: str, committed: Mapping[int, int]) -> Restored | None:
        """Restore the newest snapshot of this version that covers nothing beyond ``committed``."""
        for path in self._newest_first():
            try:
                covered = _about(path)
                is_ours = covered.features_version == features_version
                is_committed = all(end <= committed.get(p, 0) for p, end in covered.ends.items())
                if is_ours and is_committed:
                    return Restored(_state(path), covered)
            except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
                log.warning("%s is damaged and skipped: %s", path.name, error)
        return None

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob(f"*{_SUFFIX}"), reverse=True)


def _as_bytes(covered: Covered) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    ends = {str(partition): end for partition, end in covered.ends.items()}
    text = json.dumps([covered.features_version, ends, covered.snapshot_at_ms])
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _about(path: Path) -> Covered:
    with np.load(path, allow_pickle=False) as arrays:
        version, ends, snapshot_at_ms = json.loads(arrays["about"].tobytes())
    return Covered(
        version, {int(partition): end for partition, end in ends.items()}, snapshot_at_ms
    )


def _state(path: Path) -> CustomerState:
    with np.load(path, allow_pickle=False) as arrays:
        rows = CustomerRows(*(arrays[name] for name in CustomerRows._fields))
        return CustomerState.from_copy(CustomerArrays(arrays["keys"], rows))


@dataclass(slots=True)
class PeriodicSnapshots:
    """Takes a snapshot periodically in a thread; only copying the state blocks the caller."""

    folder: SnapshotFolder
    features_version: str
    every_seconds: float
    now_ms: Callable[[], int]
    on_written: Callable[[float], None]  # called with the time of the snapshot, epoch seconds
    _last_snapshot: float = field(default_factory=time.monotonic)
    _writing: threading.Thread | None = None
    # Buffer of the state being written; as large as the state, so it is reused.
    _spare: CustomerRows = field(default_factory=lambda: CustomerRows.empty(0))

    def offer(self, state: CustomerState, ends: Mapping[int, int]) -> None:
        """Take a snapshot if it is due; call between micro-batches, when the state is committed."""
        is_busy = self._writing is not None and self._writing.is_alive()
        if is_busy or not ends or time.monotonic() - self._last_snapshot < self.every_seconds:
            return
        self._last_snapshot = time.monotonic()
        covered = Covered(self.features_version, dict(ends), self.now_ms())
        if len(state.rows.last_event_ms) > len(self._spare.last_event_ms):
            self._spare = CustomerRows.empty(len(state.rows.last_event_ms))
        self._writing = threading.Thread(
            target=self._write,
            args=(state.copied(self._spare), covered),
            name="snapshot",
            daemon=True,
        )
        self._writing.start()

    def _write(self, arrays: CustomerArrays, covered: Covered) -> None:
        try:
            self.folder.write(arrays, covered)
        except OSError as error:
            # The next one may succeed; until then a restart folds more of the log.
            log.warning("the snapshot could not be written: %s", error)
        else:
            self.on_written(covered.snapshot_at_ms / 1000)
