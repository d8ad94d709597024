"""Read data files, CSV or Parquet, as purchases in event order, in bounded memory.

First only the event times are read and sorted: about 16 bytes a row stay in memory. Then slices of
``SLICE_ROWS`` rows are read in that order, with only the columns that the mapping names. A roughly
sorted file is read once; a shuffled one once for each slice. A joined file is kept in memory, with
its named columns only.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from fraudwatch.adapters.datasets.columns import event_times, row_hashes, text_of
from fraudwatch.adapters.datasets.mapping import (
    JOIN_PREFIX,
    ROW_HASH,
    ROW_NUMBER,
    Mapping,
    WrongMapping,
    placeholders,
)
from fraudwatch.adapters.datasets.purchases import JOIN_FOUND, purchases_of
from fraudwatch.application.replay.ports import BadRow, Batch

SLICE_ROWS = 50_000
_JOIN_KEY = f"{JOIN_PREFIX}#key"


class UnreadableFile(Exception):
    """The file is not a readable CSV or Parquet file."""


class Slice(NamedTuple):
    """Consecutive rows in event order: row numbers, purchases, and bad rows by position."""

    numbers: pl.Series
    purchases: pl.DataFrame
    bad: dict[int, BadRow]


class DatasetFile:
    """Data file with its mapping, and optionally a range of event times."""

    def __init__(
        self,
        path: Path,
        mapping: Mapping,
        *,
        from_ms: int | None = None,
        until_ms: int | None = None,
    ) -> None:
        """Check the mapping against the file's columns, then order its event times.

        Raises:
            UnreadableFile: no such file, or an unknown file type.
            WrongMapping: a named column is missing, or has an unsuitable type.
        """
        self._mapping = mapping
        self._scan = scan(path, mapping.data_columns, mapping.separator)
        self._schema = self._scan.collect_schema()
        self._joined = self._read_joined(path)
        times = self._scan.select(
            ROW_NUMBER, event_times(mapping, self._schema).alias("event_at_ms")
        ).collect(engine="streaming")
        self.without_time = times.filter(pl.col("event_at_ms").is_null())[ROW_NUMBER]
        # Equal times keep the file's order, so that a replay is the same every time.
        order = times.drop_nulls("event_at_ms").sort("event_at_ms", maintain_order=True)
        at_ms = order["event_at_ms"]
        self.span_ms = (int(at_ms[0]), int(at_ms[-1])) if len(at_ms) else None
        if from_ms is not None:
            order = order.filter(pl.col("event_at_ms") >= from_ms)
        if until_ms is not None:
            order = order.filter(pl.col("event_at_ms") < until_ms)
        self._order = order

    @property
    def count(self) -> int:
        """Number of rows in the range."""
        return len(self._order)

    @property
    def rows_without_time(self) -> list[BadRow]:
        """Rows without an event time, known before anything is sent."""
        columns = ", ".join(placeholders(self._mapping.fields["event_at_ms"]))
        what = f"event_at_ms (column {columns})"
        return [BadRow(row, what, "is absent or no such time") for row in self.without_time]

    def batches(self, start: int, size: int) -> Iterator[Batch]:
        """Yield purchases from position ``start`` in event order, ``size`` rows at a time."""
        slice_rows = max(size, SLICE_ROWS // size * size)
        for numbers, purchases, bad in self.slices(start, slice_rows):
            for first in range(0, len(purchases), size):
                yield _batch(purchases, numbers, bad, range(first, first + size))

    def slices(self, start: int = 0, length: int = SLICE_ROWS) -> Iterator[Slice]:
        """Yield the purchases as frames, from position ``start`` in event order."""
        for offset in range(start, self.count, length):
            purchases, bad = purchases_of(self._read(offset, length), self._mapping)
            yield Slice(self._order[ROW_NUMBER].slice(offset, length), purchases, bad)

    def _read(self, offset: int, length: int) -> pl.DataFrame:
        wanted = self._order.slice(offset, length)
        first, last = _bounds(wanted[ROW_NUMBER])
        # Row numbers begin at 1.
        rows = self._scan.slice(first - 1, last - first + 1)
        frame = (
            wanted.lazy()
            .join(rows, on=ROW_NUMBER, how="left", maintain_order="left")
            .collect(engine="streaming")
        )
        if any(f"{{{ROW_HASH}}}" in template for template in self._mapping.fields.values()):
            frame = frame.with_columns(row_hashes(frame, self._mapping.data_columns))
        if self._joined is None or self._mapping.join is None:
            return frame
        key = text_of(f"{{{self._mapping.join.by}}}", self._schema).alias(_JOIN_KEY)
        return frame.with_columns(key).join(
            self._joined, on=_JOIN_KEY, how="left", maintain_order="left"
        )

    def _read_joined(self, data_path: Path) -> pl.DataFrame | None:
        join = self._mapping.join
        if join is None:
            return None
        wanted = sorted({*self._mapping.joined_columns, join.key_column})
        found = scan(data_path.parent / join.file, wanted, self._mapping.separator)
        schema = found.collect_schema()
        joined = found.select(
            text_of(f"{{{join.key_column}}}", schema).alias(_JOIN_KEY),
            *(pl.col(name).alias(JOIN_PREFIX + name) for name in self._mapping.joined_columns),
            pl.lit(value=True).alias(JOIN_FOUND),
        ).collect()
        if repeated := len(joined) - joined[_JOIN_KEY].n_unique():
            raise WrongMapping(
                f"join: {join.file} has {repeated} row(s) too many: {join.key_column} must be"
                " unique, else purchases would be duplicated"
            )
        return joined


def joined_path(data_path: Path, mapping: Mapping) -> list[Path]:
    """Return the files that a replay reads, the data file first."""
    return [data_path, *([data_path.parent / mapping.join.file] if mapping.join else [])]


def scan(path: Path, columns: list[str], separator: str) -> pl.LazyFrame:
    """Scan the named columns of a file lazily, with row numbers from 1; CSV values stay text."""
    if not path.is_file():
        raise UnreadableFile(f"{path}: no such file")
    if path.suffix == ".parquet":
        found = pl.scan_parquet(path, row_index_name=ROW_NUMBER, row_index_offset=1)
    elif path.suffix in {".csv", ".txt", ".gz"}:
        found = pl.scan_csv(
            path,
            separator=separator,
            infer_schema=False,  # keeps a card number's leading zero
            row_index_name=ROW_NUMBER,
            row_index_offset=1,
        )
    else:
        raise UnreadableFile(f"{path}: is neither .csv nor .parquet")
    try:
        there = found.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UnreadableFile(f"{path}: cannot be read: {error}") from error
    if missing := [name for name in columns if name not in there]:
        have = ", ".join(name for name in there if name != ROW_NUMBER)
        raise WrongMapping(f"{path.name} has no column {', '.join(missing)}; it has: {have}")
    return found.select(ROW_NUMBER, *columns)


def _bounds(rows: pl.Series) -> tuple[int, int]:
    numbers = rows.sort()
    return int(numbers[0]), int(numbers[-1])


def _batch(
    purchases: pl.DataFrame, numbers: pl.Series, bad: dict[int, BadRow], window: range
) -> Batch:
    positions = [p for p in window if p < len(purchases)]
    good = [p for p in positions if p not in bad]
    lines = purchases[good].write_ndjson().encode().splitlines()
    return Batch([numbers[p] for p in good], lines, [bad[p] for p in positions if p in bad])
