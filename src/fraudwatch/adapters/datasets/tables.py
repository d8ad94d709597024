"""Scan a file's named columns lazily, with row numbers from 1; values of text files stay text.

No message quotes a cell, and none is polars' own, which may quote one.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from fraudwatch.adapters.datasets.json_tables import from_objects
from fraudwatch.adapters.datasets.layout import Layout, UnreadableFile, compression_of
from fraudwatch.adapters.datasets.mapping import WrongMapping
from fraudwatch.adapters.datasets.rewritten_table import Table, rewritten
from fraudwatch.adapters.datasets.templates import ROW_NUMBER
from fraudwatch.adapters.datasets.text_rows import (
    TextRows,
    begins_with_object,
    ragged_row,
)

_READ_BY_POLARS = (None, ".gz", ".zst")
_DUPLICATE = "_duplicated_0"
_ALIKE_RATIO = 0.8
_SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars"}


def scan(
    path: Path, columns: list[str], layout: Layout, required: Collection[str] | None = None
) -> Table:
    """Scan the named columns of a file; of JSON some may have no value, if not all are required.

    Raises:
        UnreadableFile: no such file, or it is not written as its layout defines.
        WrongMapping: it does not have all of the columns.
    """
    if not path.is_file():
        raise UnreadableFile(f"{path}: no such file")
    kind = layout.kind_of(path)
    with readable(path, layout):
        if kind == "csv" and begins_with_object(path, layout):
            kind = "json_lines"
    if kind == "parquet":
        with readable(path, layout):
            frame = pl.scan_parquet(path, row_index_name=ROW_NUMBER, row_index_offset=1)
            there = [name for name in frame.collect_schema().names() if name != ROW_NUMBER]
        if missing := [name for name in columns if name not in there]:
            raise WrongMapping(
                f"{path.name} has no column {', '.join(missing)}; it has: {', '.join(there)}"
            )
        return Table(frame.select(ROW_NUMBER, *columns), [], None)
    if kind != "csv":
        return from_objects(path, columns, layout, columns if required is None else required)
    if (
        layout.escape
        or not layout.is_utf8
        or layout.ragged == "bad_row"
        or compression_of(path) not in _READ_BY_POLARS
    ):
        return _from_cells(path, columns, layout)
    with readable(path, layout):
        frame = pl.scan_csv(
            path,
            separator=layout.separator_of(path),
            quote_char=layout.quote_char,
            has_header=not layout.columns,
            skip_lines=layout.skip_lines,
            infer_schema=False,  # keeps a card number's leading zero
            row_index_name=ROW_NUMBER,
            row_index_offset=1,
        )
        there = [name for name in frame.collect_schema().names() if name != ROW_NUMBER]
    names = _names(path, there, columns, layout)
    frame = frame.rename(dict(zip(there, names, strict=True)))
    return Table(frame.select(ROW_NUMBER, *columns), [], None)


@contextmanager
def readable(path: Path, layout: Layout) -> Iterator[None]:
    """Turn an error of polars into one sentence with place and cure.

    Raises:
        UnreadableFile: instead of the error.
    """
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _fault_of(path, layout) from error


def _fault_of(path: Path, layout: Layout) -> UnreadableFile:
    if layout.kind_of(path) == "parquet":
        return UnreadableFile(f"{path.name}: is no whole Parquet file; write or download it again")
    try:
        found = ragged_row(TextRows(path, layout).cells())
    except UnreadableFile as error:
        return error
    if found is None:
        return UnreadableFile(
            f"{path.name}: has no rows that can be read as CSV; see separator, quote and encoding"
            " in contracts/datasets/README.md"
        )
    row, cells, named = found
    row += bool(layout.columns)
    return UnreadableFile(
        f"{path.name}, row {row}: has {cells} cells, but the first line has {named}; put a cell"
        " that has the separator in it between quotation marks, or give ragged: bad_row in the"
        " mapping"
    )


def _names(path: Path, there: list[str], columns: list[str], layout: Layout) -> list[str]:
    """Return the columns' names in the file's order, once it is known that all are there."""
    if layout.columns:
        if len(layout.columns) != len(there):
            raise WrongMapping(
                f"columns: names {len(layout.columns)} columns, but the first line of {path.name}"
                f" has {len(there)} cells; name each of them, in order"
            )
        there = layout.columns
    missing = [name for name in columns if name not in there]
    if missing:
        raise _missing(path, there, columns, missing, layout)
    if twice := [name for name in columns if f"{name}{_DUPLICATE}" in there]:
        raise WrongMapping(
            f"{path.name} has the column {twice[0]} twice; name all of its columns under columns,"
            " in order, and skip its first line with skip_lines: 1"
        )
    return there


def _missing(
    path: Path, there: list[str], columns: list[str], missing: list[str], layout: Layout
) -> Exception:
    if layout.is_utf8 and any("\ufffd" in name for name in there):
        return UnreadableFile(
            f"{path.name}, line 1: is not {layout.encoding}; give the file's encoding in the"
            " mapping, such as encoding: windows-1252"
        )
    if layout.columns or 2 * len(missing) <= len(columns):
        alike = difflib.get_close_matches(missing[0], there, n=1, cutoff=_ALIKE_RATIO)
        where = "under columns" if layout.columns else "in its first line"
        hint = f"did you mean {alike[0]}?" if alike else f"see the names {where}"
        return WrongMapping(f"{path.name} has no column {', '.join(missing)}; {hint}")
    # The first line may be data, so nothing of it is shown.
    return WrongMapping(
        f"{path.name}: its first line has {len(there)} cell(s) and only"
        f" {len(columns) - len(missing)} of the mapping's {len(columns)} names; if it is no header,"
        f" name all columns in order under columns, else correct separator{_separators(there)},"
        f" skip_lines or the names {', '.join(missing)}"
    )


def _separators(cells: list[str]) -> str:
    """Count what may separate the cells of a line that has one cell only."""
    counts = {name: cells[0].count(mark) for mark, name in _SEPARATORS.items()}
    found = [f"{count} {name}" for name, count in counts.items() if count]
    return f" (that line has {', '.join(found)})" if len(cells) == 1 and found else ""


def _from_cells(path: Path, columns: list[str], layout: Layout) -> Table:
    cells = TextRows(path, layout).cells()
    first = next(cells, None)
    if first is None:
        raise _fault_of(path, layout)
    twice = {name for name in first if first.count(name) > 1}
    header = [*first, *(f"{name}{_DUPLICATE}" for name in twice)] if not layout.columns else first
    names = _names(path, header, columns, layout)
    places = [names.index(name) for name in columns]
    ragged: list[int] = []

    def rows() -> Iterator[list[str]]:
        lines = itertools.chain([first], cells) if layout.columns else cells
        for number, one in enumerate(lines, start=1):
            if len(one) > len(first):
                if layout.ragged == "refuse":
                    raise _fault_of(path, layout)
                ragged.append(number)
                one = []  # noqa: PLW2901  its cells may be in any column
            yield [one[place] if place < len(one) else "" for place in places]

    return rewritten(rows(), columns)._replace(ragged_rows=ragged)
