"""Convert columns of a data set to text, numbers and instants.

Every value is converted through its shortest text, so that a CSV and a Parquet file of the same
data give the same purchases and no amount passes through binary arithmetic.
"""

from __future__ import annotations

import functools
import hashlib
import re
from decimal import ROUND_HALF_EVEN, Decimal, DecimalException

import polars as pl

from fraudwatch.adapters.datasets.expressions import Expression
from fraudwatch.adapters.datasets.mapping import Mapping, WrongMapping
from fraudwatch.adapters.datasets.number_text import ODD_MINUS
from fraudwatch.adapters.datasets.templates import ROW_HASH, alternatives, pieces, placeholders

EPOCH_PLACES = {"s": 3, "ms": 0, "us": -3, "ns": -6}
_EPOCH_MS = {"d": 86_400_000, "h": 3_600_000, "min": 60_000}
LARGEST_INTEGER = 2**62
_HAS_OFFSET = re.compile(r"%[:#]*z|%\+")
_NO_TIME = "2000"  # of no format's shape


def shifted(text: str | None, places: int) -> int | None:
    """Shift the decimal point of a number's text, rounding half to even; None if no number."""
    if text is None:
        return None
    try:
        number = Decimal(text).scaleb(places).quantize(Decimal(1), ROUND_HALF_EVEN)
    except DecimalException:
        return None
    whole = int(number) if number.is_finite() else LARGEST_INTEGER
    return whole if abs(whole) < LARGEST_INTEGER else None


class Columns:
    """Evaluates a mapping's templates over the columns of its files."""

    def __init__(self, mapping: Mapping, schema: pl.Schema) -> None:
        self._mapping = mapping
        self._schema = schema

    def text(self, template: str) -> pl.Expr:
        """Evaluate a template; null when one of its placeholders is."""
        parts = [
            pl.coalesce(self._alternative(*one) for one in alternatives(part))
            if is_column
            else pl.lit(part)
            for part, is_column in pieces(template)
        ]
        return parts[0] if len(parts) == 1 else pl.concat_str(parts)

    def field(self, name: str) -> pl.Expr:
        """Evaluate the template of a field; null where its value stands for absent."""
        text = self.text(self._mapping.fields[name])
        own = name not in self._mapping.data_columns
        return _without(text, self._mapping.absent.get(name, []) if own else [])

    def plain(self, text: pl.Expr) -> pl.Expr:
        """Rewrite numbers as programs write them; what is no number stays as it is."""
        return text.map_batches(self._plain, return_dtype=pl.String, is_elementwise=True)

    def _plain(self, texts: pl.Series) -> pl.Series:
        if self._mapping.numbers.is_plain and not texts.str.contains(ODD_MINUS).any():
            return texts
        plain = self._mapping.numbers.plain
        return pl.Series([t if t is None else plain(t) or "?" for t in texts], dtype=pl.String)

    def _alternative(self, text: str, is_column: bool) -> pl.Expr:  # noqa: FBT001  of a pair
        if not is_column:
            return pl.lit(text)
        if text in self._mapping.computed:
            return self._computed(self._mapping.expressions[text])
        return _without(column_text(text, self._schema[text]), self._mapping.absent.get(text, []))

    def _computed(self, expression: Expression) -> pl.Expr:
        read = [self._alternative(name, is_column=True) for name in expression.names]
        numbers = self._mapping.numbers

        def evaluate(row: dict[str, str | None]) -> str | None:
            values = [t if t is None else numbers.plain(t) or "?" for t in row.values()]
            return numbers.written(expression.text_of(values))

        columns = pl.struct(one.alias(str(i)) for i, one in enumerate(read))
        return columns.map_batches(
            lambda rows: pl.Series([evaluate(row) for row in rows], dtype=pl.String),
            return_dtype=pl.String,
            is_elementwise=True,
        )


def text_of(template: str, schema: pl.Schema) -> pl.Expr:
    """Evaluate a template of plain columns, without a mapping's other keys."""
    parts = [
        column_text(part, schema[part]) if is_column else pl.lit(part)
        for part, is_column in pieces(template)
    ]
    return parts[0] if len(parts) == 1 else pl.concat_str(parts)


def column_text(name: str, kind: pl.DataType) -> pl.Expr:
    """Convert a column to its shortest text; empty text is null."""
    column = pl.col(name)
    if kind.is_nested() or kind == pl.Binary:
        raise WrongMapping(f"column {name} has type {kind}; a purchase needs plain values")
    if kind == pl.String:
        return pl.when(column != "").then(column)
    if kind.is_float():
        known = column.fill_nan(None)
        whole = known.cast(pl.Int64, strict=False)
        # Integers that missing values have turned into floats are still integers.
        return pl.when(whole == known).then(whole.cast(pl.String)).otherwise(known.cast(pl.String))
    return column.cast(pl.String)


def _without(text: pl.Expr, words: list[str]) -> pl.Expr:
    return pl.when(~text.is_in(words)).then(text) if words else text


def matches(value: pl.Expr, pattern: str) -> pl.Expr:
    """Compare a text with a pattern that may have a star at its start or its end."""
    if pattern.startswith("*"):
        return value.str.ends_with(pattern[1:])
    if pattern.endswith("*"):
        return value.str.starts_with(pattern[:-1])
    return value == pattern


def instants(mapping: Mapping, schema: pl.Schema, field: str = "event_at_ms") -> pl.Expr:
    """Parse a field's epoch milliseconds of every row; null where the value is no time.

    Raises:
        WrongMapping: the mapping does not define the format of this column.
    """
    template, time = mapping.fields[field], mapping.time
    names = placeholders(template)
    is_alone = template == f"{{{names[0]}}}" and names[0] not in mapping.computed
    instant = schema[names[0]] if is_alone else pl.String()
    if isinstance(instant, pl.Datetime | pl.Date):
        parsed = pl.col(names[0]).cast(pl.Datetime("us", getattr(instant, "time_zone", None)))
        return _in_utc(parsed, time.zone, is_zoned=bool(getattr(instant, "time_zone", None)))
    columns = Columns(mapping, schema)
    text = columns.field(field)
    if time.epoch is not None:
        count = functools.partial(_counted, unit=time.epoch, since_ms=time.since_ms)
        return columns.plain(text).map_batches(count, return_dtype=pl.Int64, is_elementwise=True)
    if time.text is None:
        key = "time" if field == "event_at_ms" else "refunds.time"
        raise WrongMapping(
            f"{key}: {', '.join(names)} has type {instant}; give its format under {key}.text, such"
            f' as "%Y-%m-%d %H:%M:%S", or its unit under {key}.epoch'
        )
    parsed = text.str.to_datetime(time.text, time_unit="us", strict=False)
    _check_format(time.text)
    return _in_utc(parsed, time.zone, is_zoned=bool(_HAS_OFFSET.search(time.text)))


def _check_format(text: str) -> None:
    try:
        pl.Series([_NO_TIME]).str.to_datetime(text, time_unit="us", strict=False)
    except pl.exceptions.PolarsError:
        raise WrongMapping(
            f"time.text: {text!r} is no format of a date with a time; write it with %Y %m %d %H %M"
            " %S, %.f for fractions and %#z for an offset, or give time.epoch for a count"
        ) from None


def _in_utc(parsed: pl.Expr, zone: str, *, is_zoned: bool) -> pl.Expr:
    if not is_zoned:
        # An ambiguous hour (end of summer time) is read as the first; a skipped hour is no time.
        parsed = parsed.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return parsed.dt.epoch("ms")


def _counted(texts: pl.Series, unit: str, since_ms: int) -> pl.Series:
    counts = [_count_ms(text, unit) for text in texts]
    return pl.Series([None if ms is None else since_ms + ms for ms in counts], dtype=pl.Int64)


def _count_ms(text: str | None, unit: str) -> int | None:
    if unit in EPOCH_PLACES:
        return shifted(text, EPOCH_PLACES[unit])
    try:
        return None if text is None else shifted(str(Decimal(text) * _EPOCH_MS[unit]), 0)
    except DecimalException:
        return None


def row_hashes(frame: pl.DataFrame, columns: list[str], occurrences: pl.Series) -> pl.Series:
    """Hash a row's values to an id, for files without ids; equal rows are numbered from 2 on."""
    texts = frame.select(text_of(f"{{{name}}}", frame.schema).alias(name) for name in columns)
    hashes = (
        hashlib.sha256("\x1f".join("\x00" if v is None else v for v in row).encode()).hexdigest()
        for row in texts.iter_rows()
    )
    return pl.Series(
        ROW_HASH,
        [
            digest[:32] if number == 1 else f"{digest[:32]}-{number}"
            for digest, number in zip(hashes, occurrences, strict=True)
        ],
        dtype=pl.String,
    )
