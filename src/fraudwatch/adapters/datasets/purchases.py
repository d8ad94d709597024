"""Convert a slice of a data file to purchases, all rows at once, and list the bad rows.

The bounds come from the domain's field catalogue, and the domain words the errors of the few rows
that break one.
"""

from __future__ import annotations

import enum
import functools
import operator
from typing import Any

import polars as pl

from fraudwatch.adapters.datasets.columns import shifted, text_of
from fraudwatch.adapters.datasets.mapping import (
    COLUMNS,
    JOIN_PREFIX,
    ROW_NUMBER,
    Mapping,
    placeholders,
    refusal_of,
)
from fraudwatch.application.replay.ports import BadRow
from fraudwatch.domain.messages.fields import Column
from fraudwatch.domain.money import DECIMALS

JOIN_FOUND = f"{JOIN_PREFIX}#found"
_GROUPING = r"[ -]"  # separators in the digits of a card number
_POLARS_TYPES = {int: pl.Int64, float: pl.Float64}
_NOT_CONVERTED = {
    int: "is no whole number",
    float: "is no number",
    str: "has no entry under values",
}
_NO_AMOUNT = "is no decimal number such as 12.34"
_NO_DECIMALS = "has no number of decimals in ISO 4217, so its amounts cannot be read"


def purchases_of(frame: pl.DataFrame, mapping: Mapping) -> tuple[pl.DataFrame, dict[int, BadRow]]:
    """Convert each row of ``frame`` to a purchase's fields; return also the bad rows by position.

    ``frame`` has the columns read, the row numbers, and ``event_at_ms`` already in UTC.
    """
    columns = [COLUMNS[name] for name in mapping.fields if name != "event_at_ms"]
    texts = frame.select(
        text_of(mapping.fields[column.name], frame.schema).alias(column.name) for column in columns
    )
    typed = texts.select(_typed(column, mapping).alias(column.name) for column in columns)
    purchases = typed.with_columns(
        frame["event_at_ms"], _amounts(texts["amount_minor"], typed["currency"], mapping)
    )
    texts = texts.with_columns(frame["event_at_ms"].cast(pl.String))
    wrong = _wrong_fields(texts, purchases, mapping)
    bad = _unmatched(frame, mapping) | {
        position: _bad_row(frame, texts, purchases, mapping, position, field)
        for position, field in wrong.items()
    }
    return purchases, bad


def _typed(column: Column, mapping: Mapping) -> pl.Expr:
    value = pl.col(column.name)
    if column.name in mapping.values:
        value = _looked_up(value, mapping.values[column.name])
    if column.name == "card_number":
        value = value.str.replace_all(_GROUPING, "")
    return value.cast(_POLARS_TYPES.get(column.type, pl.String()), strict=False)


def _looked_up(value: pl.Expr, table: dict[str, str]) -> pl.Expr:
    found: Any = pl
    for pattern, result in table.items():
        found = found.when(_matches(value, pattern)).then(pl.lit(result))
    looked_up: pl.Expr = found.otherwise(None)
    return looked_up


def _matches(value: pl.Expr, pattern: str) -> pl.Expr:
    if pattern.startswith("*"):
        return value.str.ends_with(pattern[1:])
    if pattern.endswith("*"):
        return value.str.starts_with(pattern[:-1])
    return value == pattern


def _amounts(texts: pl.Series, currencies: pl.Series, mapping: Mapping) -> pl.Series:
    if mapping.amount == "minor":
        minor = [shifted(text, 0) for text in texts]
    else:
        # A row of an unknown currency is bad by its currency, whatever its amount.
        places = currencies.replace_strict(DECIMALS, default=0, return_dtype=pl.Int64)
        minor = [shifted(text, p) for text, p in zip(texts, places, strict=True)]
    return pl.Series("amount_minor", minor, dtype=pl.Int64)


def _wrong_fields(texts: pl.DataFrame, purchases: pl.DataFrame, mapping: Mapping) -> dict[int, str]:
    """The first wrong field of each row that has one, by the row's position."""
    wrong: dict[int, str] = {}
    for name in mapping.fields:
        text, value = texts[name], purchases[name]
        flags = value.is_null() & text.is_not_null()
        if not COLUMNS[name].is_optional:
            flags |= text.is_null()
        if (broken := _broken(COLUMNS[name])) is not None:
            flags |= purchases.select(broken.fill_null(value=False)).to_series()
        if name == "currency":
            flags |= ~value.is_in(list(DECIMALS))
        for position in flags.arg_true():
            wrong.setdefault(position, name)
    return wrong


def _broken(column: Column) -> pl.Expr | None:
    """Build the check for values outside their bounds, the same as ``problems``."""
    rule, value = column.fact, pl.col(column.name)
    found = []
    if rule.minimum is not None:
        found.append(~(value >= rule.minimum))
    if rule.maximum is not None:
        found.append(~(value <= rule.maximum))  # NaN is greater than any number here
    if rule.max_length is not None:
        found.append(value.str.len_chars() > rule.max_length)
    if rule.pattern is not None:
        found.append(~value.str.contains(rf"\A(?:{rule.pattern})\z"))
    if issubclass(column.type, enum.StrEnum):
        found.append(~value.is_in([str(member) for member in column.type]))
    return functools.reduce(operator.or_, found) if found else None


def _unmatched(frame: pl.DataFrame, mapping: Mapping) -> dict[int, BadRow]:
    if mapping.join is None:
        return {}
    what, reason = f"column {mapping.join.by}", f"has no row of its own in {mapping.join.file}"
    return {
        position: BadRow(frame[ROW_NUMBER][position], what, reason)
        for position in frame[JOIN_FOUND].is_null().arg_true()
    }


def _bad_row(
    frame: pl.DataFrame,
    texts: pl.DataFrame,
    purchases: pl.DataFrame,
    mapping: Mapping,
    position: int,
    field: str,
) -> BadRow:
    value = purchases[field][position]
    if texts[field][position] is None:
        reason = "is absent"
    elif value is not None:
        reason = refusal_of(field, value) or (_NO_DECIMALS if field == "currency" else "is refused")
    elif field == "amount_minor":
        reason = _NO_AMOUNT
    else:
        reason = _NOT_CONVERTED.get(COLUMNS[field].type, _NOT_CONVERTED[str])
    columns = ", ".join(placeholders(mapping.fields[field])) or "a constant"
    return BadRow(frame[ROW_NUMBER][position], f"{field} (column {columns})", reason)
