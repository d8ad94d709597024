"""Bound rows are the bytes that the driver itself would send."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from cassandra import cqltypes
from cassandra.query import UNSET_VALUE, PreparedStatement

from fraudwatch.adapters.store.binding import RowBinder
from fraudwatch.domain.messages.verdict import Risk


class Column(NamedTuple):
    """Description of a column, as Cassandra answers it to a prepared statement."""

    keyspace_name: str
    table_name: str
    name: str
    type: Any


KINDS = {
    "name": cqltypes.UTF8Type,
    "at": cqltypes.DateType,
    "cents": cqltypes.LongType,
    "score": cqltypes.DoubleType,
}


def prepared(**kinds: Any) -> PreparedStatement:
    return PreparedStatement(
        column_metadata=[Column("fraudwatch", "t", name, kind) for name, kind in kinds.items()],
        query_id=b"id",
        routing_key_indexes=[0],
        query="INSERT",
        keyspace="fraudwatch",
        protocol_version=5,
        result_metadata=None,
        result_metadata_id=b"",
    )


@pytest.mark.parametrize(
    "row",
    [
        ("shop:1", 1_700_000_000_123, -1, 0.1),
        (Risk.HIGH, 0, 2**63 - 1, 1),
        ("“ü€𝄞”", -62_135_596_800_000, -(2**63), float("inf")),
        ("", 253_402_300_799_999, 0, -0.0),
    ],
)
def test_values_are_serialized_as_the_driver_does(row: Sequence[Any]) -> None:
    statement = prepared(**KINDS)
    assert RowBinder(statement).bind(row).values == statement.bind(row).values


def test_an_unknown_value_is_unset_so_that_no_tombstone_is_written() -> None:
    bound = RowBinder(prepared(**KINDS)).bind(("shop:1", None, None, None))
    assert bound.values == [b"shop:1", UNSET_VALUE, UNSET_VALUE, UNSET_VALUE]


def test_routing_follows_the_partition_key() -> None:
    statement = prepared(**KINDS)
    row = ("shop:1", 1, 2, 3.0)
    bound = RowBinder(statement).bind(row)
    assert bound.routing_key == statement.bind(row).routing_key
    assert bound.keyspace == "fraudwatch"


def test_a_statement_never_shows_its_values() -> None:
    assert "shop:1" not in str(RowBinder(prepared(**KINDS)).bind(("shop:1", 1, 2, 3.0)))


@pytest.mark.parametrize(
    "row",
    [(5, 1, 2, 3.0), ("a", "now", 2, 3.0), ("a", 1, 2**63, 3.0), ("a", 1, 2, "x"), ("\ud800",) * 4],
)
def test_a_value_of_another_type_is_refused(row: Sequence[Any]) -> None:
    with pytest.raises((TypeError, ValueError, struct.error)):
        RowBinder(prepared(**KINDS)).bind(row)


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        RowBinder(prepared(**KINDS)).bind(("shop:1",))


def test_a_column_without_a_serializer_is_named_before_any_row_is_written() -> None:
    with pytest.raises(TypeError, match="column ids is of type uuid, for which there is no"):
        RowBinder(prepared(ids=cqltypes.UUIDType))
