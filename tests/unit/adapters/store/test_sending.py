"""Rows share requests by partition and size, and each is sent exactly once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cassandra.query import UNSET_VALUE, BatchStatement, BoundStatement, PreparedStatement

from fraudwatch.adapters.store.sending import MAX_BATCH_BYTES, Row, send


class _Answered:
    """Future of a request that succeeds at once."""

    def add_callbacks(self, on_success: Callable[[Any], None], _: Any, **__: Any) -> None:
        on_success(None)


class _Metadata:
    def all_hosts(self) -> list[str]:
        return ["the only one"]


class _Cluster:
    metadata = _Metadata()


class _Session:
    """Session that records the requests: of each the values of its rows."""

    cluster = _Cluster()

    def __init__(self) -> None:
        self.requests: list[list[list[Any]]] = []

    def execute_async(self, statement: BoundStatement | BatchStatement) -> _Answered:
        if isinstance(statement, BatchStatement):
            rows = [values for _, _, values in statement._statements_and_parameters]
        else:
            rows = [statement.values]
        self.requests.append(rows)
        return _Answered()


INSERT = PreparedStatement([], b"id", [], "INSERT", "fraudwatch", 5, None, b"")


def row(partition: int, number: int, size_bytes: int = 100) -> Row:
    statement = BoundStatement(INSERT)
    statement.values = [b"%d:%d" % (partition, number), bytes(size_bytes), UNSET_VALUE]
    return Row(f"{partition}:{number}", partition, statement)


def sent(rows: list[Row]) -> list[list[str]]:
    """Return the rows of each request."""
    session: Any = _Session()
    assert send(session, rows) == []
    return [[values[0].decode() for values in request] for request in session.requests]


def test_rows_of_a_partition_share_a_request_wherever_they_are_among_the_others() -> None:
    rows = [row(number % 3, number) for number in range(9)]
    assert sent(rows) == [["0:0", "0:3", "0:6", "1:1", "1:4", "1:7", "2:2", "2:5", "2:8"]]


def test_a_request_has_rows_of_ten_partitions_at_most() -> None:
    requests = sent([row(number, 0) for number in range(25)])
    assert [len(request) for request in requests] == [10, 10, 5]


@pytest.mark.parametrize("size_bytes", [100, 1_300, MAX_BATCH_BYTES // 2, MAX_BATCH_BYTES])
@pytest.mark.parametrize("partitions", [1, 3, 40])
def test_each_row_is_sent_once_in_requests_of_limited_size(
    size_bytes: int, partitions: int
) -> None:
    rows = [row(number % partitions, number, size_bytes) for number in range(300)]
    requests = sent(rows)
    assert sorted(name for request in requests for name in request) == sorted(
        one.message for one in rows
    )
    bytes_of = {one.message: sum(map(len, one.statement.values[:2])) for one in rows}
    for request in requests:
        assert len(request) == 1 or sum(bytes_of[name] for name in request) <= MAX_BATCH_BYTES


def test_a_row_larger_than_a_request_is_sent_alone() -> None:
    rows = [row(0, 0), row(0, 1, MAX_BATCH_BYTES * 2), row(0, 2)]
    assert sent(rows) == [["0:0"], ["0:1"], ["0:2"]]
