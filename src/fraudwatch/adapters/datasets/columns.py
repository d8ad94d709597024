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

from fraudwatch.adapters.datasets.mapping import (
    ROW_HASH,
    Mapping,
    WrongMapping,
    pieces,
    placeholders,
)

EPOCH_PLACES = {"s": 3, "ms": 0, "us": -3, "ns": -6}
LARGEST_INTEGER = 2**62
_HAS_OFFSET = re.compile(r"%[:#]*z|%\+")


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


def event_times(mapping: Mapping, schema: pl.Schema) -> pl.Expr:
    """Parse epoch milliseconds of every row; null where the value is no time.

    Raises:
        WrongMapping: the mapping does not define the format of this column.
    """
    template, time = mapping.fields["event_at_ms"], mapping.time
    names = placeholders(template)
    instant = schema[names[0]] if template == f"{{{names[0]}}}" else pl.String()
    if isinstance(instant, pl.Datetime | pl.Date):
        parsed = pl.col(names[0]).cast(pl.Datetime("us", getattr(instant, "time_zone", None)))
        return _in_utc(parsed, time.zone, is_zoned=bool(getattr(instant, "time_zone", None)))
    text = text_of(template, schema)
    if time.epoch is not None:
        shift = functools.partial(_shift_all, places=EPOCH_PLACES[time.epoch])
        return text.map_batches(shift, return_dtype=pl.Int64, is_elementwise=True)
    if time.text is None:
        raise WrongMapping(
            f"time: {', '.join(names)} has type {instant}; give its format under time.text, such"
            ' as "%Y-%m-%d %H:%M:%S", or its unit under time.epoch'
        )
    parsed = text.str.to_datetime(time.text, time_unit="us", strict=False)
    return _in_utc(parsed, time.zone, is_zoned=bool(_HAS_OFFSET.search(time.text)))


def _in_utc(parsed: pl.Expr, zone: str, *, is_zoned: bool) -> pl.Expr:
    if not is_zoned:
        # An ambiguous hour (end of summer time) is read as the first; a skipped hour is no time.
        parsed = parsed.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return parsed.dt.epoch("ms")


def _shift_all(texts: pl.Series, places: int) -> pl.Series:
    return pl.Series([shifted(text, places) for text in texts], dtype=pl.Int64)


def text_of(template: str, schema: pl.Schema) -> pl.Expr:
    """Evaluate a template; null when one of its columns is null."""
    parts = [
        _column_text(part, schema[part]) if is_column else pl.lit(part)
        for part, is_column in pieces(template)
    ]
    return parts[0] if len(parts) == 1 else pl.concat_str(parts)


def _column_text(name: str, kind: pl.DataType) -> pl.Expr:
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


def row_hashes(frame: pl.DataFrame, columns: list[str]) -> pl.Series:
    """Hash a row's values to an id, for files without ids: equal rows get equal ids."""
    texts = frame.select(text_of(f"{{{name}}}", frame.schema).alias(name) for name in columns)
    return pl.Series(
        ROW_HASH,
        [
            hashlib.sha256(
                "\x1f".join("\x00" if v is None else v for v in row).encode()
            ).hexdigest()[:32]
            for row in texts.iter_rows()
        ],
        dtype=pl.String,
    )
