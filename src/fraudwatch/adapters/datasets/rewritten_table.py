"""Rows that Python has read, as a table that polars scans: columns of a nameless temporary file."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator
from typing import IO, NamedTuple

import polars as pl

from fraudwatch.adapters.datasets.layout import UnreadableFile
from fraudwatch.adapters.datasets.templates import ROW_NUMBER


class Table(NamedTuple):
    """Columns of a file, lazily, and the rows that were too long to be read."""

    frame: pl.LazyFrame
    ragged_rows: list[int]
    rewritten: IO[bytes] | None  # has no name in any folder, and is gone when it is closed
    empty: tuple[str, ...] = ()  # columns of JSON that no object has


def rewritten(rows: Iterator[list[str]], columns: list[str]) -> Table:
    """Write rows as plain CSV to a file without a name, which polars then scans."""
    try:
        file = tempfile.TemporaryFile()  # noqa: SIM115  closed with the last reference to it
        text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="")
        writer = csv.writer(text, quoting=csv.QUOTE_ALL)
        writer.writerow([f"c{i}" for i in range(len(columns))])
        writer.writerows(rows)
        text.flush()
        text.detach()
    except OSError as error:
        raise UnreadableFile(
            f"{tempfile.gettempdir()} has no room for the columns read; name a folder that has room"
            " in the environment variable TMPDIR"
        ) from error
    frame = pl.scan_csv(
        f"/proc/self/fd/{file.fileno()}",
        infer_schema=False,
        row_index_name=ROW_NUMBER,
        row_index_offset=1,
    ).rename({f"c{i}": name for i, name in enumerate(columns)})
    return Table(frame.select(ROW_NUMBER, *columns), [], file)
