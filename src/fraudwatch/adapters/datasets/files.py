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

import polars as pl

from fraudwatch.adapters.datasets.batches import MixedSlice, RefundSlice, Slice, batches_of
from fraudwatch.adapters.datasets.columns import Columns, instants, row_hashes, text_of
from fraudwatch.adapters.datasets.joined_file import JOIN_KEY, read_joined
from fraudwatch.adapters.datasets.layout import content_hash
from fraudwatch.adapters.datasets.mapping import Mapping
from fraudwatch.adapters.datasets.purchases import messages_of
from fraudwatch.adapters.datasets.refunds import are_refunds, refunds_of
from fraudwatch.adapters.datasets.row_selection import is_left_out, without_time
from fraudwatch.adapters.datasets.suspicions import suspicions_of
from fraudwatch.adapters.datasets.tables import readable, scan
from fraudwatch.adapters.datasets.templates import (
    FILE_HASH,
    ROW_HASH,
    ROW_NUMBER,
)
from fraudwatch.application.replay.ports import BadRow, Batch
from fraudwatch.domain.messages.purchase import LATEST_EVENT_MS

SLICE_ROWS = 50_000
_FILE_HASH_CHARACTERS = 8
_OCCURRENCE, _LEFT_OUT, _HEADER, _REFUND = "#occurrence", "#left_out", "#header", "#refund"


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
            self._joined = read_joined(path, mapping)
            self._suspicions = suspicions_of(self._scan, mapping, self._schema)
            rows = self._scan.select(ROW_NUMBER, *self._row_columns()).collect(engine="streaming")
        if mapping.reads(ROW_HASH):
            numbers = pl.int_range(1, pl.len() + 1, dtype=pl.UInt32)
            rows = rows.with_columns(numbers.over(_OCCURRENCE).alias(_OCCURRENCE))
        self.left_out = int(rows[_LEFT_OUT].sum())
        self.repeated_headers = int(rows[_HEADER].sum())
        times = rows.filter(~(pl.col(_LEFT_OUT) | pl.col(_HEADER))).drop(_LEFT_OUT, _HEADER)
        self.without_time = times.filter(pl.col("event_at_ms").is_null())[ROW_NUMBER]
        # Equal times keep the file's order, so that a replay is the same every time; but refunds
        # come behind the purchases of their time, which for files of days is a day's.
        keys = ["event_at_ms", *([_REFUND] if mapping.refunds else [])]
        order = times.drop_nulls("event_at_ms").sort(keys, maintain_order=True)
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
        at_ms = self._order.filter(~pl.col(_REFUND))["event_at_ms"]
        possible = at_ms.filter(at_ms <= LATEST_EVENT_MS)
        return int(possible[-1]) if len(possible) else None

    @property
    def count(self) -> int:
        """Number of rows in the range."""
        return len(self._order)

    @property
    def refund_count(self) -> int:
        """Number of rows in the range that are refunds."""
        return int(self._order[_REFUND].sum())

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
        """Count the purchases of the range that are older than an instant."""
        is_purchase = ~self._order[_REFUND]
        return int((is_purchase & (self._order["event_at_ms"] < at_ms)).sum())

    def batches(self, start: int, size: int) -> Iterator[Batch]:
        """Yield messages from position ``start`` in event order, ``size`` rows at a time."""
        for piece in self.mixed_slices(start, max(size, SLICE_ROWS // size * size)):
            yield from batches_of(piece, size)

    def slices(self) -> Iterator[Slice]:
        """Yield the purchases as frames, in event order."""
        for piece in self.mixed_slices(0, SLICE_ROWS):
            yield piece.bought

    def mixed_slices(self, start: int, length: int) -> Iterator[MixedSlice]:
        """Yield purchases and refunds as frames, from position ``start`` in event order."""
        are_suspect = self._suspicions.are_amounts_suspect
        for offset in range(start, self.count, length):
            frame = self._read(offset, length)
            is_refund = self._order[_REFUND].slice(offset, length)
            bought = frame.filter(~is_refund) if is_refund.any() else frame
            purchases, bad, made_absent = messages_of(bought, self._mapping, are_suspect)
            self.made_absent.update(made_absent)
            refunded = None
            if self._mapping.of_refunds is not None and is_refund.any():
                back = frame.filter(is_refund)
                refunds = refunds_of(back, self._mapping.of_refunds, are_suspect)
                refunded = RefundSlice(back[ROW_NUMBER], refunds.messages, refunds.bad)
            bought_slice = Slice(bought[ROW_NUMBER], purchases, bad)
            yield MixedSlice(bought_slice, refunded, is_refund.to_list())

    def _row_columns(self) -> list[pl.Expr]:
        """Build what must be known of every row before any is sent."""
        mapping, columns = self._mapping, Columns(self._mapping, self._schema)
        own = [n for n in mapping.columns_of("event_at_ms") if self._schema[n] == pl.String]
        found = [
            instants(mapping, self._schema).alias("event_at_ms"),
            are_refunds(mapping, columns).alias(_REFUND),
            is_left_out(mapping, columns).alias(_LEFT_OUT),
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
        wanted = self._order.slice(offset, length).drop(_REFUND)
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
        key = text_of(f"{{{self._mapping.join.by}}}", self._schema).alias(JOIN_KEY)
        return frame.with_columns(key).join(
            self._joined, on=JOIN_KEY, how="left", maintain_order="left"
        )

    @cached_property
    def _file_hash(self) -> str:
        return content_hash(self._path)[:_FILE_HASH_CHARACTERS]


def _empty(column: str) -> str:
    return (
        f"No object has a value at {column}, so it counts as absent everywhere; correct the name if"
        " the file should have it."
    )


def _bounds(rows: pl.Series) -> tuple[int, int]:
    numbers = rows.sort()
    return int(numbers[0]), int(numbers[-1])
