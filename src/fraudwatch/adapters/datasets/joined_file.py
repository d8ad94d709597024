"""Read the file that a mapping joins to its data file: one row for each key, kept in memory."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from fraudwatch.adapters.datasets.columns import text_of
from fraudwatch.adapters.datasets.mapping import Mapping, WrongMapping
from fraudwatch.adapters.datasets.purchases import JOIN_FOUND
from fraudwatch.adapters.datasets.tables import readable, scan
from fraudwatch.adapters.datasets.templates import JOIN_PREFIX

JOIN_KEY = f"{JOIN_PREFIX}#key"


def read_joined(data_path: Path, mapping: Mapping) -> pl.DataFrame | None:
    """Read the named columns of the joined file; None without one.

    Raises:
        UnreadableFile: the file cannot be read.
        WrongMapping: it lacks a column, or has a key twice.
    """
    join = mapping.join
    if join is None:
        return None
    wanted = sorted({*mapping.joined_columns, join.key_column})
    path, layout = data_path.parent / join.file, mapping.join_layout
    table = scan(path, wanted, layout)
    with readable(path, layout):
        joined = table.frame.select(
            text_of(f"{{{join.key_column}}}", table.frame.collect_schema()).alias(JOIN_KEY),
            *(pl.col(name).alias(JOIN_PREFIX + name) for name in mapping.joined_columns),
            pl.lit(value=True).alias(JOIN_FOUND),
        ).collect()
    if repeated := len(joined) - joined[JOIN_KEY].n_unique():
        raise WrongMapping(
            f"join: {join.file} has {repeated} row(s) too many: {join.key_column} must be"
            " unique, else purchases would be duplicated"
        )
    return joined


def joined_path(data_path: Path, mapping: Mapping) -> list[Path]:
    """Return the files that a replay reads, the data file first."""
    return [data_path, *([data_path.parent / mapping.join.file] if mapping.join else [])]
