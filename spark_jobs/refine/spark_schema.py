"""Derive Spark schemas from message types, so that each field is defined once."""

from __future__ import annotations

import enum
import typing
from collections.abc import Collection
from typing import Any, Final

from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DoubleType,
    LongType,
    StringType,
    StructType,
)

from fraudwatch.domain.messages.fields import columns_of

_SIMPLE: Final[dict[type, type[DataType]]] = {
    str: StringType, int: LongType, float: DoubleType, bool: BooleanType,
}  # fmt: skip
# In the raw layer only: schema and kind, constant in all rows of a table; the content hash, by
# which ingest alone recognises a repeat; and the default that a source applied, which is a reason.
ENVELOPE: Final = frozenset({"schema", "kind", "content_hash", "applied_default"})


def struct_of(message: type, *, without: Collection[str] = ENVELOPE) -> StructType:
    """Build a column for each field, in declaration order; all nullable, as in a Delta table."""
    struct = StructType()
    for column in columns_of(message):
        if column.name not in without:
            struct.add(column.name, _type_of(column.type))
    return struct


def _type_of(kind: Any) -> DataType:
    if typing.get_origin(kind) is tuple:
        return ArrayType(_type_of(typing.get_args(kind)[0]))
    if isinstance(kind, type) and issubclass(kind, enum.StrEnum):
        return StringType()
    if kind in _SIMPLE:
        return _SIMPLE[kind]()
    return struct_of(kind, without=())
