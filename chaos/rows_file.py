"""The rows of the system of record as a file, from the process that reads to the one that folds.

No environment holds both the driver of Cassandra and the compiled fold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

Row = tuple[str, str]  # transaction id, verdict id; neither can hold a tab


def write_rows(path: Path, rows: Iterable[Row]) -> int:
    """Write one line a row; returns how many there were."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write("\t".join(row) + "\n")
            count += 1
    return count


def read_rows(path: Path) -> Iterator[Row]:
    """What was written."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            transaction_id, _, verdict_id = line.rstrip("\n").partition("\t")
            yield transaction_id, verdict_id
