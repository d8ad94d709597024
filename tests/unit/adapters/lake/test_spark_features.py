"""Folding in a Spark task, without Spark; tests/lake tests it on Spark."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.codecs.log_fold import fold_messages, packed, packed_column
from fraudwatch.adapters.lake.spark_features import WrongKey, _folded
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.samples import NOON_MS, a_token, a_transaction

CUSTOMERS = "abcdefg"
PRODUCED_AT_MS = NOON_MS + 86_400_000


def rows() -> list[tuple[str, int, bytes]]:
    """Build key, offset and value as in the log: every tenth a repeat, every ninth invalid."""
    seeded = random.Random(3)
    log = []
    for offset in range(300):
        number = abs(offset - 30) if offset % 10 == 9 else offset
        customer = CUSTOMERS[number * 5 % len(CUSTOMERS)]
        made = a_transaction(
            transaction_id=f"s:{number}",
            customer_token=a_token(customer),
            event_at_ms=NOON_MS + offset * 60_000,
            amount_eur_cents=seeded.randrange(1, 9_999),
        )
        log.append((a_token(customer), offset, b"{}" if offset % 9 == 8 else encode(made)))
    # One customer's repeats alone fill several batches.
    repeated = next(value for key, _, value in log if key == a_token("a") and value != b"{}")
    return log + [(a_token("a"), offset, repeated) for offset in range(300, 340)]


def batches(given: list[tuple[str, int, bytes]], size: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(given), size):
        keys, offsets, values = zip(*given[start : start + size], strict=True)
        yield pa.RecordBatch.from_pydict(
            {
                "source_partition": pa.array([0] * len(keys), pa.int32()),
                "source_offset": pa.array(offsets, pa.int64()),
                "produced_at_ms": pa.array([PRODUCED_AT_MS] * len(keys), pa.int64()),
                "key": pa.array(keys),
                "value": pa.array(values, pa.binary()),
            }
        )


@pytest.mark.parametrize("size", [1, 7, 64, 1_000])
def test_one_customer_after_the_other_gives_the_bytes_of_one_fold_over_the_log(size: int) -> None:
    log = rows()
    at_ms = np.full(len(log), PRODUCED_AT_MS)
    whole = fold_messages(CustomerState(), [value for _, _, value in log], at_ms)
    assert whole.repeats > 40
    assert whole.refused
    expected = dict(zip(whole.position.tolist(), packed(whole.features), strict=True))
    found = pa.Table.from_batches(list(_folded(batches(sorted(log), size))))
    vectors = found["features"].to_pylist()
    assert dict(zip(found["source_offset"].to_pylist(), vectors, strict=True)) == expected
    assert len(vectors) == len(expected)


def test_a_message_under_another_key_stops_the_task() -> None:
    _, offset, value = rows()[0]
    with pytest.raises(WrongKey, match="not keyed by its customer"):
        list(_folded(batches([(a_token("z"), offset, value)], 1)))


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_a_column_holds_the_bytes_of_each_row(rows: int) -> None:
    features = np.arange(rows * 2, dtype=np.float64).reshape(rows, 2)
    features[:1, 1] = -np.float64("nan")  # of another sign than the canonical one
    column = packed_column(features)
    column.validate(full=True)
    assert column.to_pylist() == packed(features)
