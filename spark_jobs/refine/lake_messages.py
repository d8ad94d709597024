"""Messages of the log as rows of the lake, refused by the very checks that the stream applies.

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

# Not a refusal: a person is forgotten, and no purchase is there to keep.
ERASE: Final = str(Kind.ERASE)
# What a row is beside its message; ``code`` is NULL where the message is sound.
PLACE: Final = (
    StructField("source_partition", IntegerType()),
    StructField("source_offset", LongType()),
    StructField("code", StringType()),
)

_JUDGED: Final = {"source_partition": "judged_partition", "source_offset": "judged_offset"}


class Sorted(NamedTuple):
    """Columns of the sound messages, where each stands, and the others with why."""

    table: pa.Table
    position: Sequence[int]
    refused: Sequence[tuple[int, str]]


def parsed(raw: DataFrame, message: type, parse: Callable[[list[bytes]], Sorted]) -> DataFrame:
    """Each raw row's place and fields, or its place and the code it is refused by."""
    schema = StructType([*PLACE, *_fields_of(message)])
    narrow = raw.select("source_partition", "source_offset", "value")
    return narrow.mapInArrow(partial(_parse_batches, schema, parse), schema)


def _fields_of(message: type) -> list[StructField]:
    """The message's own columns; a verdict says by itself where its purchase stands."""
    return [
        StructField(_JUDGED.get(field.name, field.name), field.dataType)
        for field in struct_of(message)
    ]


def _parse_batches(
    schema: StructType, parse: Callable[[list[bytes]], Sorted], batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    wanted = to_arrow_schema(schema)
    for batch in batches:
        values = [value or b"" for value in batch.column("value").to_pylist()]
        yield from _laid_out(batch, parse(values), wanted).to_batches()


def _laid_out(batch: pa.RecordBatch, found: Sorted, wanted: pa.Schema) -> pa.Table:
    """Sound rows first, refused ones after them, in the columns of the schema."""
    places = pa.array([*found.position, *(place for place, _ in found.refused)], pa.int64())
    sound = len(found.position)
    codes = [None] * sound + [code for _, code in found.refused]
    columns = []
    for field in wanted:
        if field.name == "code":
            columns.append(pa.array(codes, pa.string()))
        elif field.name in ("source_partition", "source_offset"):
            columns.append(batch.column(field.name).take(places).cast(field.type))
        else:
            told = found.table.column(field.name).cast(field.type).combine_chunks()
            missing = pa.nulls(len(found.refused), field.type)
            columns.append(pa.chunked_array([told, missing]).combine_chunks())
    return pa.table(columns, schema=wanted)


def sort_transactions(values: list[bytes]) -> Sorted:
    """As the detector takes them: see :func:`parse_transactions`."""
    found = parse_transactions(values)
    refused = [
        (place, ERASE if _is_erasure(values[place]) else str(why.code))
        for place, why in found.refused
    ]
    return Sorted(found.frame.to_arrow(), found.position.tolist(), refused)


class _Envelope(msgspec.Struct):
    kind: str


def _is_erasure(value: bytes) -> bool:
    try:
        return msgspec.json.decode(value, type=_Envelope).kind == ERASE
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def sort_messages(message: type[Any], values: list[bytes]) -> Sorted:
    """Messages of any type, one by one; verdicts and labels are not worth more."""
    sound: list[Any] = []
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
        sound.append(one)
        position.append(place)
    return Sorted(_table_of(message, sound), position, refused)


def _table_of(message: type[Any], rows: Sequence[Any]) -> pa.Table:
    schema = to_arrow_schema(struct_of(message, without=()))
    table = pa.Table.from_pylist([msgspec.to_builtins(row) for row in rows], schema=schema)
    return table.rename_columns([_JUDGED.get(name, name) for name in table.column_names])


def transactions_of(raw: DataFrame) -> DataFrame:
    """Purchases."""
    return parsed(raw, Transaction, sort_transactions)


def messages_of(raw: DataFrame, message: type[Any]) -> DataFrame:
    """Verdicts, or labels."""
    return parsed(raw, message, partial(sort_messages, message))


def verdicts_of(raw: DataFrame) -> DataFrame:
    """Verdicts; where the judged purchase stands is another place than the verdict's own."""
    return parsed(raw, Verdict, partial(sort_messages, Verdict))
