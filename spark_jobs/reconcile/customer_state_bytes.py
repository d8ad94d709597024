"""Encode a customer's state as bytes and back: little-endian, equal for equal states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from fraudwatch.domain.arrays import UInt64s
from fraudwatch.domain.features.customer_rows import FIXED_COLUMNS, CustomerArrays, CustomerRows
from fraudwatch.domain.features.state import CustomerState


class BrokenState(ValueError):
    """Bytes that are not a customer's state of today's layout."""


# A state is a record of the columns, then each list's entries.
_RECORD: Final = np.dtype(
    [
        (name, np.dtype(dtype).newbyteorder("<"), width)
        for name, (dtype, width, _) in FIXED_COLUMNS.items()
    ]
)
_LISTS: Final = {
    name: (values.dtype.newbyteorder("<"), values.shape[1:])
    for name, values in CustomerRows.empty(0)._asdict().items()
    if name not in FIXED_COLUMNS
}


def state_bytes(rows: CustomerRows) -> list[bytes]:
    """Encode each row's state."""
    records = np.empty(len(rows.last_event_ms), dtype=_RECORD)
    for name in FIXED_COLUMNS:
        records[name] = getattr(rows, name)
    parts = [[record.tobytes() for record in records]]
    for name, lengths in rows.list_lengths().items():
        values = getattr(rows, name).astype(_LISTS[name][0])
        ends = np.cumsum(lengths).tolist()
        starts = [0, *ends[:-1]]
        parts.append([values[a:b].tobytes() for a, b in zip(starts, ends, strict=False)])
    return [b"".join(parts_of_row) for parts_of_row in zip(*parts, strict=True)]


def rows_from(states: Sequence[bytes]) -> CustomerRows:
    """Decode states to rows.

    Raises:
        BrokenState: a state has another size than one of today's layout with its entries.
    """
    heads = b"".join(state[: _RECORD.itemsize] for state in states)
    if len(heads) != _RECORD.itemsize * len(states):
        raise _broken()
    records: Any = np.frombuffer(heads, dtype=_RECORD)
    fixed: dict[str, Any] = {
        name: records[name].astype(dtype) for name, (dtype, _, _) in FIXED_COLUMNS.items()
    }
    return _with_lists(CustomerRows.empty(0)._replace(**fixed), states)


def _with_lists(rows: CustomerRows, states: Sequence[bytes]) -> CustomerRows:
    at = np.full(len(states), _RECORD.itemsize)
    lists: dict[str, Any] = {}
    for name, lengths in rows.list_lengths().items():
        dtype, shape = _LISTS[name]
        ends = at + lengths * dtype.itemsize * int(np.prod(shape))
        parts = [state[a:b] for state, a, b in zip(states, at, ends, strict=True)]
        at = ends
        lists[name] = (np.frombuffer(b"".join(parts), dtype=np.uint8), dtype, shape)
    if at.tolist() != [len(state) for state in states]:
        raise _broken()
    decoded = {
        name: read.view(dtype).reshape(-1, *shape).astype(dtype.newbyteorder("="))
        for name, (read, dtype, shape) in lists.items()
    }
    return rows._replace(**decoded)


def _broken() -> BrokenState:
    return BrokenState(
        "a customer's state is not of the layout that today's features keep, so nothing was folded "
        "on it; delete that day from core_customer_states and run again"
    )


def with_states(known: CustomerState, keys: UInt64s, states: Sequence[bytes]) -> CustomerState:
    """Add customers with stored states to the known ones."""
    if len(keys):
        known.put(CustomerArrays(keys, rows_from(states)))
    return known
