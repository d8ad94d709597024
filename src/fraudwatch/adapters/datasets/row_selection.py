"""Select the rows that are sent: none that a mapping leaves out, none without an event time."""

from __future__ import annotations

import polars as pl

from fraudwatch.adapters.datasets.columns import Columns, matches
from fraudwatch.adapters.datasets.mapping import Mapping
from fraudwatch.application.replay.ports import BadRow


def is_left_out(mapping: Mapping, columns: Columns) -> pl.Expr:
    """Flag rows that ``leave_out`` names, or of which ``only`` names none of a column's values."""
    named = [_is_any(columns, *one) for one in mapping.leave_out.items()]
    others = [~_is_any(columns, *one) for one in mapping.only.items()]
    return pl.any_horizontal(pl.lit(value=False), *named, *others)


def _is_any(columns: Columns, name: str, patterns: list[str]) -> pl.Expr:
    text = columns.text(f"{{{name}}}")
    found = [matches(text, pattern).fill_null(value=False) for pattern in patterns]
    return pl.any_horizontal(pl.lit(value=False), *found)


def without_time(mapping: Mapping, row: int) -> BadRow:
    """Describe a row without an event time."""
    columns = ", ".join(mapping.columns_of("event_at_ms"))
    return BadRow(row, f"event_at_ms (column {columns})", "is absent or no such time")
