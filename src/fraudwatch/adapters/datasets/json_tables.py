"""Read the named columns of a file's JSON objects."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from fraudwatch.adapters.datasets.json_path import first_within, value_at
from fraudwatch.adapters.datasets.layout import Layout
from fraudwatch.adapters.datasets.mapping import WrongMapping
from fraudwatch.adapters.datasets.rewritten_table import Table, rewritten
from fraudwatch.adapters.datasets.text_rows import TextRows, cell_of


def from_objects(
    path: Path, columns: list[str], layout: Layout, required: Collection[str]
) -> Table:
    """Read the columns; each required one must be in some object.

    Raises:
        UnreadableFile: it is not written as its layout defines.
        WrongMapping: a column is no single value, or required and in no object.
    """
    found: set[str] = set()
    kind = "json" if layout.kind_of(path) == "json" else "json_lines"

    def rows() -> Iterator[list[str]]:
        for number, item in enumerate(TextRows(path, layout).objects(kind), start=1):
            values = [value_at(item, name) for name in columns]
            for name, value in zip(columns, values, strict=True):
                if isinstance(value, dict | list):
                    raise WrongMapping(
                        f"{path.name}, row {number}: {name} is no single value; name one within it,"
                        f" as in {{{name}.NAME}} or {{{first_within(name)}}}"
                    )
                if value is not None:
                    found.add(name)
            yield [cell_of(value) for value in values]

    table = rewritten(rows(), columns)
    empty = [name for name in columns if name not in found]
    if missing := [name for name in empty if name in required]:
        raise WrongMapping(
            f"{path.name}: no object has a value at {', '.join(missing)}; correct the names, with"
            " points between the names of nested objects"
        )
    return table._replace(empty=tuple(empty))
