"""Convert a slice of a data file to purchases or refunds, all rows at once, and list the bad rows.

The bounds come from the domain's field catalogue, and the domain words the errors of the few rows
that break one.
"""

from __future__ import annotations

import enum
import functools
import operator
import re
from typing import Any, NamedTuple

import polars as pl

from fraudwatch.adapters.datasets.columns import Columns, instants, matches, shifted
from fraudwatch.adapters.datasets.mapping import Mapping
from fraudwatch.adapters.datasets.message_fields import PURCHASE
from fraudwatch.adapters.datasets.number_text import SUSPECT
from fraudwatch.adapters.datasets.templates import JOIN_PREFIX, ROW_NUMBER
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
_NO_TIME = "is no such time"
_NO_AMOUNT = "is no decimal number such as 12.34"
_NO_DECIMALS = "has no number of decimals in ISO 4217, so its amounts cannot be read"
_SUSPECT_AMOUNT = "may be a thousand or a decimal number; give decimal in the mapping"
_SUSPECT = re.compile(SUSPECT)
_THREE_PLACES = 3


class Converted(NamedTuple):
    """Messages, the bad rows by position, and how many invalid values of a field became absent."""

    messages: pl.DataFrame
    bad: dict[int, BadRow]
    made_absent: dict[str, int]


def messages_of(
    frame: pl.DataFrame,
    mapping: Mapping,
    are_amounts_suspect: bool = False,  # noqa: FBT001, FBT002  of the whole file
) -> Converted:
    """Convert each row of ``frame`` to the fields of the mapping's kind of message.

    ``frame`` has the columns read, the row numbers, and ``event_at_ms`` already in UTC. Amounts
    like 1.234 are bad rows where they may be thousands.
    """
    evaluated = Columns(mapping, frame.schema)
    kinds, times = mapping.message.columns, mapping.message.times
    columns = [kinds[name] for name in mapping.fields if name not in times]
    texts = frame.select(_text(evaluated, column).alias(column.name) for column in columns)
    typed = texts.select(_typed(column, mapping).alias(column.name) for column in columns)
    amounts = _amounts(texts["amount_minor"], typed["currency"], mapping, are_amounts_suspect)
    row_time, *others = times
    at_ms = frame["event_at_ms"].alias(row_time)
    instants_ = frame.select(_instant(mapping, frame, name) for name in others)
    messages = typed.with_columns(at_ms, amounts, *instants_)
    time_texts = frame.select(evaluated.field(name).alias(name) for name in others)
    texts = texts.with_columns(at_ms.cast(pl.String), *time_texts)
    made_absent: dict[str, int] = {}
    for name in mapping.absent_if_invalid:
        is_invalid = _invalid(kinds[name], texts, messages)
        made_absent[name] = int(is_invalid.sum())
        texts, messages = _blanked(texts, name, is_invalid), _blanked(messages, name, is_invalid)
    wrong = _wrong_fields(texts, messages, mapping)
    bad = _unmatched(frame, mapping) | {
        position: _bad_row(frame, texts, messages, mapping, position, field)
        for position, field in wrong.items()
    }
    return Converted(messages, bad, made_absent)


def _instant(mapping: Mapping, frame: pl.DataFrame, name: str) -> pl.Expr:
    return instants(mapping, frame.schema, name).alias(name)


def _text(evaluated: Columns, column: Column) -> pl.Expr:
    text = evaluated.field(column.name)
    if column.type is float:
        # As absent as a Parquet file's.
        text = pl.when(text.str.to_lowercase() != "nan").then(text)
    if column.type not in _POLARS_TYPES:
        return text
    plain = evaluated.plain(text)
    # A program that writes missing numbers as blanks often writes the others as 2.0.
    return plain if column.name == "amount_minor" else plain.str.replace(r"\.0+$", "")


def _blanked(frame: pl.DataFrame, name: str, rows: pl.Series) -> pl.DataFrame:
    return frame.with_columns(pl.when(~rows).then(pl.col(name)).alias(name))


def _typed(column: Column, mapping: Mapping) -> pl.Expr:
    value = pl.col(column.name)
    if column.name in mapping.values:
        value = _looked_up(value, mapping.values[column.name])
    if column.name == "currency":
        value = value.str.to_uppercase()
    if column.name == "card_number":
        value = value.str.replace_all(_GROUPING, "")
    return value.cast(_POLARS_TYPES.get(column.type, pl.String()), strict=False)


def _looked_up(value: pl.Expr, table: dict[str, str]) -> pl.Expr:
    found: Any = pl
    for pattern, result in table.items():
        found = found.when(matches(value, pattern)).then(pl.lit(result))
    looked_up: pl.Expr = found.otherwise(None)
    return looked_up


def _amounts(
    texts: pl.Series,
    currencies: pl.Series,
    mapping: Mapping,
    are_suspect: bool,  # noqa: FBT001  as its caller
) -> pl.Series:
    if mapping.amount == "minor":
        places = [0] * len(texts)
    else:
        # A row of an unknown currency is bad by its currency, whatever its amount.
        places = currencies.replace_strict(DECIMALS, default=0, return_dtype=pl.Int64).to_list()
    minor = [
        None if are_suspect and p < _THREE_PLACES and _is_suspect(text) else shifted(text, p)
        for text, p in zip(texts, places, strict=True)
    ]
    amounts = pl.Series("amount_minor", minor, dtype=pl.Int64)
    if mapping.negative == "refuse":
        return amounts
    return -amounts if mapping.negative == "flip" else amounts.abs()


def _is_suspect(text: str | None) -> bool:
    return text is not None and bool(_SUSPECT.match(text))


def _wrong_fields(texts: pl.DataFrame, messages: pl.DataFrame, mapping: Mapping) -> dict[int, str]:
    """The first wrong field of each row that has one, by the row's position."""
    wrong: dict[int, str] = {}
    for name in mapping.fields:
        column = mapping.message.columns[name]
        flags = _invalid(column, texts, messages)
        if not column.is_optional:
            flags |= texts[name].is_null()
        if name == "currency":
            flags |= ~messages[name].is_in(list(DECIMALS))
        for position in flags.arg_true():
            wrong.setdefault(position, name)
    return wrong


def _invalid(column: Column, texts: pl.DataFrame, messages: pl.DataFrame) -> pl.Series:
    """Flag values that are there and not valid."""
    flags = messages[column.name].is_null() & texts[column.name].is_not_null()
    if (broken := _broken(column)) is not None:
        flags |= messages.select(broken.fill_null(value=False)).to_series()
    return flags


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
    if mapping.join is None or mapping.join.left:
        return {}
    what, reason = f"column {mapping.join.by}", f"has no row of its own in {mapping.join.file}"
    return {
        position: BadRow(frame[ROW_NUMBER][position], what, reason)
        for position in frame[JOIN_FOUND].is_null().arg_true()
    }


def _bad_row(
    frame: pl.DataFrame,
    texts: pl.DataFrame,
    messages: pl.DataFrame,
    mapping: Mapping,
    position: int,
    field: str,
) -> BadRow:
    value = messages[field][position]
    if texts[field][position] is None:
        reason = "is absent"
    elif value is not None:
        reason = mapping.message.refusal_of(field, value) or (
            _NO_DECIMALS if field == "currency" else "is refused"
        )
    elif field == "amount_minor":
        reason = _SUSPECT_AMOUNT if _is_suspect(texts[field][position]) else _NO_AMOUNT
    elif field in mapping.message.times:
        reason = _NO_TIME
    else:
        kind = mapping.message.columns[field].type
        reason = _NOT_CONVERTED.get(kind, _NOT_CONVERTED[str])
    return BadRow(frame[ROW_NUMBER][position], what_of(mapping, field), reason)


def what_of(mapping: Mapping, field: str) -> str:
    """Name a field of a bad row, and the columns that it is made of."""
    columns = ", ".join(mapping.columns_of(field)) or "a constant"
    named = field if mapping.message is PURCHASE else f"{mapping.message.name}'s {field}"
    return f"{named} (column {columns})"
