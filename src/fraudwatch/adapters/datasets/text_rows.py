"""Rows of a text file by Python's csv module: what polars cannot read, and what is wrong with it.

It is slower than polars by far, so that only files take this way that need it: other encodings,
escape characters, archives, JSON, and files whose rows differ in length.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, cast

from fraudwatch.adapters.datasets.layout import Layout, UnreadableFile, compression_of

LONGEST_CELL = 16 * 1024 * 1024
_FAULTS = (OSError, EOFError, zipfile.BadZipFile, lzma.LZMAError)


class TextRows:
    """Rows of a CSV file or objects of a JSON file, decoded and decompressed."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._path = path
        self._layout = layout

    def cells(self) -> Iterator[list[str]]:
        """Yield the cells of every line after ``skip_lines``, the header first if there is one.

        Raises:
            UnreadableFile: the file is not written as its layout defines.
        """
        layout, line = self._layout, 0
        csv.field_size_limit(LONGEST_CELL)
        with ExitStack() as stack:
            text = stack.enter_context(self._opened(newline=""))
            try:
                for _ in range(layout.skip_lines):
                    text.readline()
                reader = csv.reader(
                    text,
                    delimiter=layout.separator_of(self._path),
                    quotechar=layout.quote_char,
                    quoting=csv.QUOTE_NONE if layout.quote_char is None else csv.QUOTE_MINIMAL,
                    escapechar=layout.escape,
                    doublequote=True,
                    strict=True,
                )
                for row in reader:
                    line = layout.skip_lines + reader.line_num
                    yield row
            except UnicodeError as error:
                raise self._not_in_its_encoding(line + 1) from error
            except csv.Error as error:
                raise UnreadableFile(
                    f"{self._path.name}, line {line + 1}: a quotation mark opens a cell that is not"
                    ' closed as it should be; give quote (none, "\'"), or escape, in the mapping'
                ) from error
            except _FAULTS as error:
                raise self._not_unpacked() from error

    def objects(self, kind: str) -> Iterator[dict[str, Any]]:
        """Yield every JSON object: one a line, or of one list; numbers stay text.

        Raises:
            UnreadableFile: the file is not written as its layout defines.
        """
        row = 0
        with ExitStack() as stack:
            text = stack.enter_context(self._opened(newline=None))
            try:
                texts = iter([text.read()]) if kind == "json" else text
                for one in texts:
                    if not one.strip():
                        continue
                    for found in _listed(json.loads(one, parse_float=str, parse_int=str), kind):
                        row += 1
                        if not isinstance(found, dict):
                            raise self._no_object(row)
                        yield found
            except UnicodeError as error:
                raise self._not_in_its_encoding(row + 1) from error
            except (ValueError, RecursionError) as error:
                raise self._no_object(row + 1) from error
            except _FAULTS as error:
                raise self._not_unpacked() from error

    def _no_object(self, row: int) -> UnreadableFile:
        return UnreadableFile(
            f"{self._path.name}, row {row}: is no JSON object; correct the row, or give format"
            " (csv, json_lines, json) in the mapping"
        )

    def _not_in_its_encoding(self, line: int) -> UnreadableFile:
        return UnreadableFile(
            f"{self._path.name}, line {line} or soon after: is not {self._layout.encoding}; give"
            " the file's encoding in the mapping, such as encoding: windows-1252"
        )

    def _not_unpacked(self) -> UnreadableFile:
        return UnreadableFile(
            f"{self._path.name}: cannot be read or unpacked; unpack it, and give the file in it"
        )

    def _opened(self, newline: str | None) -> IO[str]:
        encoding = "utf-8-sig" if self._layout.is_utf8 else self._layout.encoding
        try:
            return io.TextIOWrapper(self._unpacked(), encoding=encoding, newline=newline)
        except _FAULTS as error:
            raise self._not_unpacked() from error

    def _unpacked(self) -> IO[bytes]:
        match compression_of(self._path):
            case ".gz":
                return cast("IO[bytes]", gzip.open(self._path))
            case ".bz2":
                return bz2.open(self._path)
            case ".xz":
                return lzma.open(self._path)
            case ".zip":
                return self._only_member()
            case ".zst":
                raise UnreadableFile(
                    f"{self._path.name}: .zst is read only where it is CSV in UTF-8; unpack it"
                )
            case _:
                return self._path.open("rb")

    def _only_member(self) -> IO[bytes]:
        archive = zipfile.ZipFile(self._path)
        files = [one for one in archive.infolist() if not one.is_dir()]
        if len(files) != 1:
            archive.close()
            raise UnreadableFile(
                f"{self._path.name}: has {len(files)} files in it; unpack it, and give one of them"
            )
        if files[0].flag_bits & 1:
            archive.close()
            raise UnreadableFile(
                f"{self._path.name}: is encrypted; unpack it, and give the file in it"
            )
        return archive.open(files[0])


def _listed(value: Any, kind: str) -> list[Any]:
    return value if kind == "json" and isinstance(value, list) else [value]


def cell_of(value: Any) -> str:
    """Return a JSON value as the text of a cell; null is empty, and so absent."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def ragged_row(rows: Sequence[list[str]] | Iterator[list[str]]) -> tuple[int, int, int] | None:
    """Return the first row with more cells than the first line: its number and both lengths."""
    header: list[str] | None = None
    for number, cells in enumerate(rows):
        if header is None:
            header = cells
        elif len(cells) > len(header):
            return number, len(cells), len(header)
    return None


def begins_with_object(path: Path, layout: Layout) -> bool:
    """Return whether a text file is JSON lines, whatever its name."""
    if layout.format or layout.columns or compression_of(path):
        return False
    with path.open("rb") as file:
        line = file.readline(1024 * 1024)
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
