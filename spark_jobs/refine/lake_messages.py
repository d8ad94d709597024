"""Parse messages of the log to rows of the lake, with the same checks as the stream.

The parsing runs in Spark's Python workers, a few thousand messages at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import IntegerType, LongType, StringType, StructField, StructType

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.codecs.message_frames import parse_transactions
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.transaction import Kind, Transaction
from fraudwatch.domain.messages.verdict import Verdict
from spark_jobs.refine.spark_schema import struct_of

# Not a refusal: the message erases a customer and holds no purchase.
ERASE: Final = str(Kind.ERASE)
# Columns beside the message's own; ``code`` is NULL where the message is valid.
PLACE: Final = (
    StructField("source_partition", IntegerType()),
    StructField("source_offset", LongType()),
    StructField("code", StringType()),
)

_RENAMED_FIELDS: Final = {"source_partition": "judged_partition", "source_offset": "judged_offset"}


class ParsedBatch(NamedTuple):
    """Columns of the valid messages with their positions, and the refused ones with their codes."""

    table: pa.Table
    position: Sequence[int]
    refused: Sequence[tuple[int, str]]


def parsed(raw: DataFrame, message: type, parse: Callable[[list[bytes]], ParsedBatch]) -> DataFrame:
    """Parse each raw row to its offset and fields, or its offset and the code of its refusal."""
    schema = StructType([*PLACE, *_fields_of(message)])
    narrow = raw.select("source_partition", "source_offset", "value")
    return narrow.mapInArrow(partial(_parse_batches, schema, parse), schema)


def _fields_of(message: type) -> list[StructField]:
    """Return the message's columns; a verdict's ``source_`` fields name its purchase's offset."""
    return [
        StructField(_RENAMED_FIELDS.get(field.name, field.name), field.dataType)
        for field in struct_of(message)
    ]


def _parse_batches(
    schema: StructType,
    parse: Callable[[list[bytes]], ParsedBatch],
    batches: Iterable[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    arrow_schema = to_arrow_schema(schema)
    for batch in batches:
        values = [value or b"" for value in batch.column("value").to_pylist()]
        yield from _laid_out(batch, parse(values), arrow_schema).to_batches()


def _laid_out(batch: pa.RecordBatch, messages: ParsedBatch, schema: pa.Schema) -> pa.Table:
    """Build the table of the schema: valid rows first, refused ones after them."""
    places = pa.array([*messages.position, *(place for place, _ in messages.refused)], pa.int64())
    valid = len(messages.position)
    codes = [None] * valid + [code for _, code in messages.refused]
    columns = []
    for field in schema:
        if field.name == "code":
            columns.append(pa.array(codes, pa.string()))
        elif field.name in ("source_partition", "source_offset"):
            columns.append(batch.column(field.name).take(places).cast(field.type))
        else:
            values = messages.table.column(field.name).cast(field.type).combine_chunks()
            missing = pa.nulls(len(messages.refused), field.type)
            columns.append(pa.chunked_array([values, missing]).combine_chunks())
    return pa.table(columns, schema=schema)


def parse_transaction_batch(values: list[bytes]) -> ParsedBatch:
    """Parse transactions exactly as the detector does: see :func:`parse_transactions`."""
    batch = parse_transactions(values)
    refused = [
        (place, ERASE if _is_erasure(values[place]) else str(why.code))
        for place, why in batch.refused
    ]
    return ParsedBatch(batch.frame.to_arrow(), batch.position.tolist(), refused)


class _Envelope(msgspec.Struct):
    kind: str


def _is_erasure(value: bytes) -> bool:
    try:
        return msgspec.json.decode(value, type=_Envelope).kind == ERASE
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def parse_message_batch(message: type[Any], values: list[bytes]) -> ParsedBatch:
    """Parse messages of any type one by one: fast enough for verdicts and labels."""
    valid: list[Any] = []
    position: list[int] = []
    refused: list[tuple[int, str]] = []
    for place, value in enumerate(values):
        try:
            one = decode(message, value)
        except Refused as why:
            refused.append((place, str(why.code)))
            continue
        if problems(one):
            refused.append((place, str(Code.OUT_OF_BOUNDS)))
            continue
        valid.append(one)
        position.append(place)
    return ParsedBatch(_table_of(message, valid), position, refused)


def _table_of(message: type[Any], rows: Sequence[Any]) -> pa.Table:
    schema = to_arrow_schema(struct_of(message, without=()))
    table = pa.Table.from_pylist([msgspec.to_builtins(row) for row in rows], schema=schema)
    return table.rename_columns([_RENAMED_FIELDS.get(name, name) for name in table.column_names])


def transactions_of(raw: DataFrame) -> DataFrame:
    """Parse the transactions of a raw table."""
    return parsed(raw, Transaction, parse_transaction_batch)


def messages_of(raw: DataFrame, message: type[Any]) -> DataFrame:
    """Parse the messages of a raw table, such as labels."""
    return parsed(raw, message, partial(parse_message_batch, message))


def verdicts_of(raw: DataFrame) -> DataFrame:
    """Parse verdicts; the scored purchase's offset differs from the verdict's own."""
    return parsed(raw, Verdict, partial(parse_message_batch, Verdict))
