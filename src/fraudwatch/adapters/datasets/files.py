"""Read data files, CSV, JSON or Parquet, as purchases in event order, in bounded memory.

First only the event times are read and sorted: about 16 bytes a row stay in memory. Then slices of
``SLICE_ROWS`` rows are read in that order, with only the columns that the mapping names. A roughly
sorted file is read once; a shuffled one once for each slice. A joined file is kept in memory, with
its named columns only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import polars as pl

from fraudwatch.adapters.datasets.columns import (
    Columns,
    event_times,
    row_hashes,
    text_of,
)
from fraudwatch.adapters.datasets.layout import content_hash
from fraudwatch.adapters.datasets.mapping import Mapping, WrongMapping
from fraudwatch.adapters.datasets.purchases import JOIN_FOUND, purchases_of
from fraudwatch.adapters.datasets.row_selection import is_left_out, without_time
from fraudwatch.adapters.datasets.suspicions import suspicions_of
from fraudwatch.adapters.datasets.tables import readable, scan
from fraudwatch.adapters.datasets.templates import (
    FILE_HASH,
    JOIN_PREFIX,
    ROW_HASH,
    ROW_NUMBER,
)
from fraudwatch.application.replay.ports import BadRow, Batch
from fraudwatch.domain.messages.purchase import LATEST_EVENT_MS

SLICE_ROWS = 50_000
_FILE_HASH_CHARACTERS = 8
_JOIN_KEY = f"{JOIN_PREFIX}#key"
_OCCURRENCE, _LEFT_OUT, _HEADER = "#occurrence", "#left_out", "#header"


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
            UnreadableFile: no such file, or it is not written as the mapping defines.
            WrongMapping: a named column is missing, or has an unsuitable type.
        """
        self._mapping = mapping
        self._path = path
        self.made_absent: Counter[str] = Counter()
        self._table = scan(path, mapping.data_columns, mapping, mapping.required_columns)
        self._scan = self._table.frame
        with readable(path, mapping):
            self._schema = self._scan.collect_schema()
            self._joined = self._read_joined(path)
            self._suspicions = suspicions_of(self._scan, mapping, self._schema)
            rows = self._scan.select(ROW_NUMBER, *self._row_columns()).collect(engine="streaming")
        if mapping.reads(ROW_HASH):
            numbers = pl.int_range(1, pl.len() + 1, dtype=pl.UInt32)
            rows = rows.with_columns(numbers.over(_OCCURRENCE).alias(_OCCURRENCE))
        self.left_out = int(rows[_LEFT_OUT].sum())
        self.repeated_headers = int(rows[_HEADER].sum())
        times = rows.filter(~(pl.col(_LEFT_OUT) | pl.col(_HEADER))).drop(_LEFT_OUT, _HEADER)
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
    def newest_ms(self) -> int | None:
        """Newest event time of the range that a purchase may have."""
        at_ms = self._order["event_at_ms"]
        possible = at_ms.filter(at_ms <= LATEST_EVENT_MS)
        return int(possible[-1]) if len(possible) else None

    @property
    def count(self) -> int:
        """Number of rows in the range."""
        return len(self._order)

    @property
    def warnings(self) -> list[str]:
        """Sentences about values that may not mean what they seem to."""
        return [*self._suspicions.warnings, *map(_empty, self._table.empty)]

    @property
    def rows_without_time(self) -> list[BadRow]:
        """Rows without an event time, known before anything is sent."""
        ragged = set(self._table.ragged_rows)
        return [
            BadRow(row, "the row", "has more cells than the first line")
            if row in ragged
            else without_time(self._mapping, row)
            for row in self.without_time
        ]

    def rows_before(self, at_ms: int) -> int:
        """Count the rows of the range that are older than an instant."""
        return int((self._order["event_at_ms"] < at_ms).sum())

    def batches(self, start: int, size: int) -> Iterator[Batch]:
        """Yield purchases from position ``start`` in event order, ``size`` rows at a time."""
        slice_rows = max(size, SLICE_ROWS // size * size)
        for numbers, purchases, bad in self.slices(start, slice_rows):
            for first in range(0, len(purchases), size):
                yield _batch(purchases, numbers, bad, range(first, first + size))

    def slices(self, start: int = 0, length: int = SLICE_ROWS) -> Iterator[Slice]:
        """Yield the purchases as frames, from position ``start`` in event order."""
        for offset in range(start, self.count, length):
            purchases, bad, made_absent = purchases_of(
                self._read(offset, length),
                self._mapping,
                self._suspicions.are_amounts_suspect,
            )
            self.made_absent.update(made_absent)
            yield Slice(self._order[ROW_NUMBER].slice(offset, length), purchases, bad)

    def _row_columns(self) -> list[pl.Expr]:
        """Build what must be known of every row before any is sent."""
        mapping = self._mapping
        own = [n for n in mapping.columns_of("event_at_ms") if self._schema[n] == pl.String]
        found = [
            event_times(mapping, self._schema).alias("event_at_ms"),
            is_left_out(mapping, Columns(mapping, self._schema)).alias(_LEFT_OUT),
            # The header again, where files were put together.
            pl.all_horizontal(
                pl.lit(bool(own)), *(pl.col(n).eq(n).fill_null(value=False) for n in own)
            ).alias(_HEADER),
        ]
        if mapping.reads(ROW_HASH):
            texts = [text_of(f"{{{name}}}", self._schema) for name in mapping.data_columns]
            whole = pl.concat_str([text.fill_null("\0") for text in texts], separator="\x1f")
            found.append(whole.hash().alias(_OCCURRENCE))
        return found

    def _read(self, offset: int, length: int) -> pl.DataFrame:
        wanted = self._order.slice(offset, length)
        first, last = _bounds(wanted[ROW_NUMBER])
        # Row numbers begin at 1.
        rows = self._scan.slice(first - 1, last - first + 1)
        with readable(self._path, self._mapping):
            frame = (
                wanted.lazy()
                .join(rows, on=ROW_NUMBER, how="left", maintain_order="left")
                .collect(engine="streaming")
            )
        if self._mapping.reads(ROW_HASH):
            hashes = row_hashes(frame, self._mapping.data_columns, frame[_OCCURRENCE])
            frame = frame.with_columns(hashes)
        if self._mapping.reads(FILE_HASH):
            frame = frame.with_columns(pl.lit(self._file_hash).alias(FILE_HASH))
        if self._joined is None or self._mapping.join is None:
            return frame
        key = text_of(f"{{{self._mapping.join.by}}}", self._schema).alias(_JOIN_KEY)
        return frame.with_columns(key).join(
            self._joined, on=_JOIN_KEY, how="left", maintain_order="left"
        )

    @cached_property
    def _file_hash(self) -> str:
        return content_hash(self._path)[:_FILE_HASH_CHARACTERS]

    def _read_joined(self, data_path: Path) -> pl.DataFrame | None:
        join = self._mapping.join
        if join is None:
            return None
        wanted = sorted({*self._mapping.joined_columns, join.key_column})
        path, layout = data_path.parent / join.file, self._mapping.join_layout
        table = scan(path, wanted, layout)
        with readable(path, layout):
            joined = table.frame.select(
                text_of(f"{{{join.key_column}}}", table.frame.collect_schema()).alias(_JOIN_KEY),
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


def _empty(column: str) -> str:
    return (
        f"No object has a value at {column}, so it counts as absent everywhere; correct the name if"
        " the file should have it."
    )


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
