"""First rows of a file whose layout nobody has described: guess the layout, then read them."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from fraudwatch.adapters.datasets.layout import Layout, UnreadableFile
from fraudwatch.adapters.datasets.tables import readable
from fraudwatch.adapters.datasets.text_rows import TextRows, begins_with_object, cell_of

SAMPLE_ROWS = 1_000
_ENCODINGS = ("utf-8", "utf-16", "windows-1252")
_SEPARATORS = (",", ";", "\t", "|")
_LINES = 50
_SHARE = 0.6
_DATA = re.compile(r"^[-+$€£ ]*[0-9][0-9.,:/ -]*$|@|^[0-9a-fA-F-]{16,}$")


class Sample(NamedTuple):
    """Columns of the first rows as text, and how the file is written."""

    layout: dict[str, Any]
    columns: dict[str, list[str]]


def sample_of(path: Path) -> Sample:
    """Read the first rows of a file.

    Raises:
        UnreadableFile: no layout fits.
    """
    if not path.is_file():
        raise UnreadableFile(f"{path}: no such file")
    kind = Layout().kind_of(path)
    with readable(path, Layout()):
        if kind == "csv" and begins_with_object(path, Layout()):
            kind = "json_lines"
        if kind == "parquet":
            frame = pl.scan_parquet(path).head(SAMPLE_ROWS).collect()
            plain = [n for n, t in frame.schema.items() if not t.is_nested() and t != pl.Binary]
            return Sample({}, {n: [cell_of(value) for value in frame[n]] for n in plain})
    if kind in ("json", "json_lines"):
        rows = list(itertools.islice(TextRows(path, Layout()).objects(kind), SAMPLE_ROWS))
        return Sample({}, _flattened(rows))
    return _of_cells(path)


def _of_cells(path: Path) -> Sample:
    found: dict[str, Any] = {"encoding": _encoding(path)}
    widths = {mark: _width(path, found | {"separator": mark}) for mark in _SEPARATORS}
    found["separator"] = max(_SEPARATORS, key=lambda mark: widths[mark])
    rows = _rows(path, found)
    if not rows or not rows[0]:
        raise UnreadableFile(f"{path.name}: is empty, so nothing can be suggested")
    cells = [cell for row in rows[1:] for cell in row if cell]
    if cells and sum(_is_quoted(cell) for cell in cells) > len(cells) / 2:
        found["quote"] = "'"
        rows = _rows(path, found)
    header = rows[0]
    if _is_data(header):
        header = found["columns"] = [f"column_{i}" for i in range(1, len(header) + 1)]
    else:
        rows = rows[1:]
    defaults = {"encoding": "utf-8", "separator": Layout().separator_of(path)}
    layout = {key: value for key, value in found.items() if defaults.get(key) != value}
    names = [name for name in header if name]
    places = {name: header.index(name) for name in names}
    return Sample(layout, {n: [_cell(row, at) for row in rows] for n, at in places.items()})


def _cell(row: list[str], place: int) -> str:
    return row[place] if place < len(row) else ""


def _is_quoted(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == "'"


def _is_data(first: list[str]) -> bool:
    """Whether a first line is no header: a name is unique, and no number, date or address."""
    return any(_DATA.search(cell.strip()) for cell in first) or len(set(first)) < len(first)


def _rows(path: Path, layout: dict[str, Any]) -> list[list[str]]:
    cells = TextRows(path, Layout.model_validate(layout)).cells()
    return list(itertools.islice(cells, SAMPLE_ROWS + 1))


def _encoding(path: Path) -> str:
    for encoding in _ENCODINGS:
        layout = Layout(encoding=encoding, quote="none")
        try:
            list(itertools.islice(TextRows(path, layout).cells(), SAMPLE_ROWS + 1))
        except UnreadableFile:
            continue
        return encoding
    raise UnreadableFile(
        f"{path.name}: is not text in {', '.join(_ENCODINGS)}; save it as CSV in UTF-8, or see"
        " encoding in contracts/datasets/README.md"
    )


def _width(path: Path, layout: dict[str, Any]) -> int:
    """Count the cells that most lines have, or 0 if lines differ."""
    cells = TextRows(path, Layout.model_validate(layout)).cells()
    try:
        widths = Counter(len(row) for row in itertools.islice(cells, _LINES) if row)
    except (UnreadableFile, csv.Error):
        return 0
    [(width, lines)] = widths.most_common(1) or [(0, 0)]
    return width if lines >= _SHARE * widths.total() else 0


def _flattened(rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    flat = [dict(_paths(row)) for row in rows]
    names = dict.fromkeys(name for row in flat for name in row)
    return {name: [row.get(name, "") for row in flat] for name in names}


def _paths(item: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found = []
    for key, value in item.items():
        if isinstance(value, dict):
            found += _paths(value, f"{prefix}{key}.")
        elif not isinstance(value, list):
            found.append((prefix + key, cell_of(value)))
    return found
