"""Read a micro-batch's rows from the file to which ``MicroBatchRows.scala`` writes them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from fraudwatch.domain.arrays import Int64s

_NUMBER_COLUMNS = 4


@dataclass(frozen=True, slots=True)
class Rows:
    """Messages of a micro-batch, in the order of (partition, offset)."""

    values: list[bytes]
    partition: Int64s
    offset: Int64s
    produced_at_ms: Int64s


def read_rows(path: Path) -> Rows:
    """Read the whole file; its layout is documented at ``MicroBatchRows``."""
    content = path.read_bytes()
    columns: list[Int64s] = []
    values: list[bytes] = []
    at = 0
    while at < len(content):
        (count,) = np.frombuffer(content, "<i8", count=1, offset=at).tolist()
        numbers = np.frombuffer(content, "<i8", count=count * _NUMBER_COLUMNS, offset=at + 8)
        *known, ends = numbers.reshape(_NUMBER_COLUMNS, count)
        columns.append(np.stack(known))
        first = at + 8 * (1 + count * _NUMBER_COLUMNS)
        places = [first, *(ends + first).tolist()]
        values += [content[a:b] for a, b in pairwise(places)]
        at = places[-1]
    return _ordered(columns, values)


def _ordered(columns: list[Int64s], values: list[bytes]) -> Rows:
    partition, offset, produced_at_ms = np.concatenate(
        [*columns, np.empty((_NUMBER_COLUMNS - 1, 0), dtype=np.int64)], axis=1
    )
    order = np.lexsort((offset, partition))
    if not np.array_equal(order, np.arange(len(order))):
        partition, offset, produced_at_ms = partition[order], offset[order], produced_at_ms[order]
        values = [values[row] for row in order.tolist()]
    return Rows(values, partition, offset, produced_at_ms)
