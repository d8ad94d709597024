"""Snapshots of the detector's state: a manifest each, over segments that snapshots share.

A manifest records its offsets, its features version and its segments, and is written last, so that
a crash leaves whole snapshots only. A restart restores the newest one that covers nothing beyond
Spark's committed offsets, and folds the rest from the log (Flink's scheme: snapshot plus rewinding
the source). The newest is the one that covers the most offsets, whatever the clock said.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from fraudwatch.adapters.codecs.snapshot_segments import SUFFIX, UNFINISHED, Run, SegmentFolder
from fraudwatch.adapters.durable_file import replace_file
from fraudwatch.domain.features.customer_rows import CustomerArrays
from fraudwatch.domain.features.state import CustomerState

log = logging.getLogger(__name__)

KEPT: Final = 3
_MANIFEST: Final = ".manifest"
_DRAFTS: Final = "tmp*"  # of manifests that were not finished
# What damaged files raise: numpy, zipfile and json, each in several ways.
DAMAGED: Final = (
    OSError, EOFError, ValueError, KeyError, TypeError, NotImplementedError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


class Covered(NamedTuple):
    """Features version and offsets that a snapshot covers."""

    features_version: str
    ends: Mapping[int, int]  # by partition, the first offset that is not covered
    snapshot_at_ms: int
    topic_id: str = ""  # of the topic whose offsets these are; empty in snapshots of before

    @property
    def offsets(self) -> int:
        """Number of covered offsets: a later state of the same log covers more."""
        return sum(self.ends.values())


class Snapshot(NamedTuple):
    """Snapshot on disk: what it covers, and its runs from the oldest to the newest."""

    folder: Path
    covered: Covered
    runs: tuple[Run, ...] = ()

    def load(self) -> CustomerState:
        """Load the state; no row of it counts as changed."""
        segments, state = SegmentFolder(self.folder), CustomerState()
        state.reserve(segments.customers(self.runs))
        for rows in segments.newest_rows(self.runs):
            state.put(rows)
        state.mark_unchanged()
        return state


class Restored(NamedTuple):
    """Restored state and its snapshot."""

    state: CustomerState
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class SnapshotFolder:
    """Snapshots of one writer; the newest are kept, older ones removed."""

    folder: Path

    @property
    def segments(self) -> SegmentFolder:
        """Segment files of this folder."""
        return SegmentFolder(self.folder)

    def write(self, parts: Iterable[CustomerArrays], covered: Covered) -> Snapshot:
        """Write a whole state as a snapshot, durably on disk before this returns.

        Each customer is in one of the parts.
        """
        rows, segments = 0, list[str]()
        for part in parts:
            rows += len(part.keys)
            segments += self.segments.write(part)
        return self.add(covered, (Run(rows, tuple(segments)),))

    def add(self, covered: Covered, runs: Sequence[Run]) -> Snapshot:
        """Write the manifest of runs that are on disk, and remove what is older."""
        snapshot = Snapshot(self.folder, covered, tuple(runs))
        name = f"{covered.offsets:020d}-{covered.features_version}{_MANIFEST}"
        replace_file(self.folder / name, _manifest_of(snapshot))
        self._remove_all_but([snapshot, *self.newest_first()[:KEPT]])
        return snapshot

    def newest_first(self) -> list[Snapshot]:
        """List the snapshots by the offsets that they cover; damaged manifests are skipped."""
        found = [_snapshot_of(path) for path in sorted(self.folder.glob(f"*{_MANIFEST}"))]
        readable = [one for one in found if one is not None]
        return sorted(readable, key=lambda one: one.covered.offsets, reverse=True)

    def keep_only(self, is_kept: Callable[[Covered], bool]) -> None:
        """Remove other snapshots, and files of writes that a crash cut off; call at start."""
        self._remove_all_but([one for one in self.newest_first() if is_kept(one.covered)])

    def _remove_all_but(self, kept: Sequence[Snapshot]) -> None:
        contents = {_manifest_of(one) for one in kept}
        needed = {name for one in kept for run in one.runs for name in run.segments}
        for path in self.folder.glob(f"*{_MANIFEST}"):
            if path.read_bytes() not in contents:
                path.unlink()
        for pattern in (f"*{SUFFIX}", f"*{UNFINISHED}", _DRAFTS):
            for path in self.folder.glob(pattern):
                if path.name not in needed:
                    path.unlink()


def newest_usable(
    snapshots: Iterable[Snapshot], is_usable: Callable[[Covered], bool]
) -> Restored | None:
    """Restore the usable snapshot that covers the most offsets; damaged ones are skipped."""
    for one in sorted(snapshots, key=lambda one: one.covered.offsets, reverse=True):
        if not is_usable(one.covered):
            continue
        try:
            return Restored(one.load(), one)
        except DAMAGED as error:
            log.warning(
                "the snapshot of %d offsets in %s is damaged and skipped: %s",
                one.covered.offsets,
                one.folder,
                error,
            )
    return None


def _manifest_of(snapshot: Snapshot) -> bytes:
    covered = snapshot.covered
    about = {
        "features_version": covered.features_version,
        "ends": {str(partition): end for partition, end in sorted(covered.ends.items())},
        "snapshot_at_ms": covered.snapshot_at_ms,
        "runs": [{"rows": run.rows, "segments": list(run.segments)} for run in snapshot.runs],
    } | ({"topic_id": covered.topic_id} if covered.topic_id else {})
    body = json.dumps(about).encode()
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body + b"\n"


def _snapshot_of(path: Path) -> Snapshot | None:
    try:
        sha256, body = path.read_bytes().splitlines()
        if hashlib.sha256(body).hexdigest().encode() != sha256:
            raise ValueError("its content has another hash")
        about = json.loads(body)
        ends = {int(partition): int(end) for partition, end in about["ends"].items()}
        covered = Covered(
            about["features_version"], ends, about["snapshot_at_ms"], about.get("topic_id", "")
        )
        runs = tuple(Run(run["rows"], tuple(run["segments"])) for run in about["runs"])
    except DAMAGED as error:
        log.warning("%s is damaged and skipped: %s", path.name, error)
        return None
    return Snapshot(path.parent, covered, runs)
