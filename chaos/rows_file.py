"""Pass the verdict rows of Cassandra as a file to the process that folds the log.

No environment has both Cassandra's driver and the compiled fold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

Row = tuple[str, str]  # transaction id, verdict id; neither can contain a tab


def write_rows(path: Path, rows: Iterable[Row]) -> int:
    """Write one line per row; returns the number of rows."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write("\t".join(row) + "\n")
            count += 1
    return count


def read_rows(path: Path) -> Iterator[Row]:
    """Read the rows of a written file."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            transaction_id, _, verdict_id = line.rstrip("\n").partition("\t")
            yield transaction_id, verdict_id
