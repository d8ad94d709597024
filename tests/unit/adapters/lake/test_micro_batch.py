"""The file by which Spark's JVM hands over a micro-batch."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from fraudwatch.adapters.lake.micro_batch import read_rows


def part(*rows: tuple[int, int, int, bytes]) -> bytes:
    """One of Spark's partitions, as MicroBatchRows.scala writes it."""
    columns = [[row[column] for row in rows] for column in range(3)]
    ends = [sum(len(row[3]) for row in rows[: place + 1]) for place in range(len(rows))]
    numbers = [number for column in (*columns, ends) for number in column]
    return struct.pack(f"<{1 + len(numbers)}q", len(rows), *numbers) + b"".join(
        row[3] for row in rows
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "micro_batch"


def test_rows_of_every_part_keep_their_values(path: Path) -> None:
    path.write_bytes(part((0, 7, 1000, b"one"), (0, 8, 1001, b"")) + part((1, 3, 999, b"three")))
    rows = read_rows(path)
    assert rows.values == [b"one", b"", b"three"]
    assert rows.partition.tolist() == [0, 0, 1]
    assert rows.offset.tolist() == [7, 8, 3]
    assert rows.produced_at_ms.tolist() == [1000, 1001, 999]


def test_rows_come_in_the_order_of_partition_and_offset(path: Path) -> None:
    path.write_bytes(part((1, 3, 30, b"c"), (0, 9, 20, b"b")) + part() + part((0, 8, 10, b"a")))
    rows = read_rows(path)
    assert rows.values == [b"a", b"b", b"c"]
    assert list(zip(rows.partition, rows.offset, rows.produced_at_ms, strict=True)) == [
        (0, 8, 10),
        (0, 9, 20),
        (1, 3, 30),
    ]


def test_no_rows_are_an_empty_micro_batch(path: Path) -> None:
    path.write_bytes(part())
    assert read_rows(path).values == []
    path.write_bytes(b"")
    assert read_rows(path).offset.tolist() == []
