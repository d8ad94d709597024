"""Parse transactions of a micro-batch into a polars frame, as the input of the detector.

Parsing and writing JSON row by row costs several times as much as scoring; a frame handles a
micro-batch in one call. A batch with bad messages is parsed in parts, and a bad part message by
message, so that a bad message neither hides the good ones nor slows them.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.domain.features.events import Events
from fraudwatch.domain.features.hashing import hash_strings
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Column, Problem, columns_of, problems
from fraudwatch.domain.messages.purchase import Channel, PaymentStatus
from fraudwatch.domain.messages.refund import is_refund
from fraudwatch.domain.messages.transaction import Kind, Transaction

_POLARS_TYPES: dict[type, Any] = {str: pl.String, int: pl.Int64, float: pl.Float64}
_TRANSACTION_COLUMNS = columns_of(Transaction)
_TRANSACTION_SCHEMA = {
    c.name: pl.String if issubclass(c.type, enum.StrEnum) else _POLARS_TYPES[c.type]
    for c in _TRANSACTION_COLUMNS
}


# Smaller parts would cost more than they save: a call of polars for a few messages takes as long as
# parsing a hundred one by one.
_PART = 1_000


class Parsed(NamedTuple):
    """Valid transactions with their positions in the batch, refused messages, refunds."""

    frame: pl.DataFrame
    position: npt.NDArray[np.int64]  # of each frame row in the batch
    refused: list[tuple[int, Refused]]
    refunds: tuple[int, ...] = ()  # positions, not parsed


def parse_transactions(messages: Sequence[bytes]) -> Parsed:
    """Parse a batch: all at once, or message by message in parts that have a bad message."""
    refunds = tuple(place for place, message in enumerate(messages) if is_refund(message))
    if not refunds:
        return _parse_purchases(messages)
    places: npt.NDArray[np.int64] = np.delete(np.arange(len(messages)), refunds)
    parsed = _parse_purchases([messages[place] for place in places.tolist()])
    refused = [(int(places[place]), why) for place, why in parsed.refused]
    return Parsed(parsed.frame, places[parsed.position], refused, refunds)


def _parse_purchases(messages: Sequence[bytes]) -> Parsed:
    frame = _parse_at_once(messages)
    if frame is not None:
        return Parsed(frame, np.arange(len(messages)), [])
    parts = [_parse_part(messages, first) for first in range(0, len(messages), _PART)]
    return Parsed(
        pl.concat([part.frame for part in parts], rechunk=True),
        np.concatenate([part.position for part in parts]),
        [refused for part in parts for refused in part.refused],
    )


def _parse_part(batch: Sequence[bytes], first: int) -> Parsed:
    messages = batch[first : first + _PART]
    # A part that is the whole batch has failed already.
    frame = _parse_at_once(messages) if len(messages) < len(batch) else None
    if frame is not None:
        return Parsed(frame, np.arange(first, first + len(messages)), [])
    return _parse_one_by_one(messages, first)


def _parse_one_by_one(messages: Sequence[bytes], first: int) -> Parsed:
    good: list[tuple[int, bytes]] = []
    refused: list[tuple[int, Refused]] = []
    for place, message in enumerate(messages, first):
        try:
            good.append((place, encode(_checked(message))))
        except Refused as reason:
            refused.append((place, reason))
    places = np.array([place for place, _ in good], dtype=np.int64)
    return Parsed(_frame_of(b"\n".join(line for _, line in good)), places, refused)


def _frame_of(lines: bytes) -> pl.DataFrame:
    if not lines:
        return pl.DataFrame(schema=_TRANSACTION_SCHEMA)
    return pl.read_ndjson(lines, schema=_TRANSACTION_SCHEMA)


def _checked(message: bytes) -> Transaction:
    transaction = decode(Transaction, message)
    if broken := problems(transaction):
        raise Refused(Code.OUT_OF_BOUNDS, broken)
    if transaction.kind is not Kind.TRANSACTION:
        raise Refused(Code.WRONG_SCHEMA, [Problem("kind", "is not handled by this version")])
    return transaction


def _parse_at_once(messages: Sequence[bytes]) -> pl.DataFrame | None:
    """Parse a valid batch to a frame; None when a message must be checked on its own."""
    # Then each message is at least one row, and equal counts mean one row each.
    if not all(message.startswith(b"{") for message in messages):
        return None
    try:
        frame = _frame_of(b"\n".join(messages))
    except (pl.exceptions.PolarsError, UnicodeDecodeError):
        return None
    if frame.height != len(messages):
        return None
    return frame if _selected(frame, _IS_VALID).item() else None


def _selected(frame: pl.DataFrame, *wanted: pl.Expr) -> pl.DataFrame:
    """Select expressions in one plan, without optimisation.

    A call of polars costs more than the work of a small batch, and optimising the plan doubles it.
    """
    return frame.lazy().select(*wanted).collect(optimizations=_NO_OPTIMISATION)


def _column_is_valid(column: Column) -> pl.Expr:
    """Build the check of a field's bounds for all rows; unknown is valid where it is optional."""
    value, rule = pl.col(column.name), column.fact
    checks = [pl.lit(value=True)]
    if rule.minimum is not None:
        checks.append(value >= rule.minimum)
    if rule.maximum is not None:
        checks.append(value <= rule.maximum)
    if rule.max_length is not None:
        checks.append(value.str.len_chars() <= rule.max_length)
    if rule.pattern is not None:
        checks.append(value.str.contains(f"^(?:{rule.pattern})$"))
    if issubclass(column.type, enum.StrEnum):
        checks.append(value.is_in(list(column.type)))
    return pl.all_horizontal(checks).fill_null(column.is_optional).all()


_IS_VALID = pl.all_horizontal(
    *(_column_is_valid(column) for column in _TRANSACTION_COLUMNS),
    *(pl.col(c.name).is_not_null().all() for c in _TRANSACTION_COLUMNS if not c.is_optional),
    (pl.col("kind") == Kind.TRANSACTION).all(),
)


_NO_OPTIMISATION = pl.QueryOptFlags.none()
_FLOATS = {
    "latitude": "purchase_latitude",
    "longitude": "purchase_longitude",
    "billing_latitude": "billing_latitude",
    "billing_longitude": "billing_longitude",
    "shipping_latitude": "shipping_latitude",
    "shipping_longitude": "shipping_longitude",
    "item_count": "item_count",
}
_KEYS = {
    "customer_key": "customer_token",
    "transaction_key": "transaction_id",
    "category_key": "category",
    "merchant_key": "merchant_id",
    "device_key": "device_token",
    "country_key": "merchant_country",
}
_EVENT_COLUMNS = (
    pl.col("event_at_ms"),
    pl.col("amount_eur_cents"),
    (pl.col("payment_status") == PaymentStatus.APPROVED).alias("is_approved"),
    (pl.col("channel") == Channel.PRESENT).alias("is_present"),
    *(pl.col(n).cast(pl.Float64).fill_null(np.nan).alias(name) for name, n in _FLOATS.items()),
)


def events_of(frame: pl.DataFrame, produced_at_ms: npt.NDArray[np.int64]) -> Events:
    """Extract the input columns of the fold; ``produced_at_ms`` is that of each row's message."""
    plain = _selected(frame, *_EVENT_COLUMNS)
    columns: dict[str, Any] = {one.name: one.to_numpy() for one in plain.iter_columns()}
    columns["produced_at_ms"] = produced_at_ms
    columns |= {name: keys_of_column(frame[column]) for name, column in _KEYS.items()}
    return Events(**columns)


def keys_of_column(texts: pl.Series) -> npt.NDArray[np.uint64]:
    """Hash each text, 0 where it is unknown, without creating Python strings."""
    array = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, utf8 = array.buffers()
    starts = np.array(np.frombuffer(offsets, dtype=np.int64)[array.offset :][: len(array) + 1])
    hashes = np.asarray(hash_strings(starts, np.frombuffer(utf8 or b"", dtype=np.uint8)))
    if array.null_count:
        hashes[texts.is_null().to_numpy()] = 0
    return hashes
