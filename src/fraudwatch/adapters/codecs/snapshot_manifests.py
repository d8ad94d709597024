"""Read which offsets the detector's snapshots cover, without loading the states."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

# As in state_snapshots, whose imports compile the fold.
_MANIFEST: Final = ".manifest"


def least_covered(folder: Path) -> dict[int, int] | None:
    """Return by partition the offset that every snapshot covers; None without any.

    The detector may restore any of them, and folds the log from there. A damaged manifest covers
    nothing.
    """
    found: dict[int, int] | None = None
    for path in folder.glob(f"*{_MANIFEST}"):
        ends = _ends_in(path)
        known = ends if found is None else found
        found = {partition: min(at, ends.get(partition, 0)) for partition, at in known.items()}
    return found


def _ends_in(path: Path) -> dict[int, int]:
    try:
        _, body = path.read_bytes().splitlines()
        return {int(partition): int(end) for partition, end in json.loads(body)["ends"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
