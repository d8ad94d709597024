"""Encode a customer's state as bytes and back: little-endian, equal for equal states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from fraudwatch.domain.arrays import UInt64s
from fraudwatch.domain.features.state import CustomerArrays, CustomerRows, CustomerState


class BrokenState(ValueError):
    """Bytes that are not a customer's state of today's layout."""


def _record() -> np.dtype[Any]:
    fields = CustomerRows.empty(0)._asdict().items()
    return np.dtype(
        [(name, values.dtype.newbyteorder("<"), values.shape[1:]) for name, values in fields]
    )


_RECORD: Final = _record()


def state_bytes(rows: CustomerRows) -> list[bytes]:
    """Encode each row's state."""
    records = np.empty(len(rows.last_event_ms), dtype=_RECORD)
    for name, values in rows._asdict().items():
        records[name] = values
    return [record.tobytes() for record in records]


def rows_from(states: Sequence[bytes]) -> CustomerRows:
    """Decode states to rows.

    Raises:
        BrokenState: a state has another size than today's layout.
    """
    if any(len(state) != _RECORD.itemsize for state in states):
        raise BrokenState(
            f"a customer's state is not the {_RECORD.itemsize} bytes that today's features keep, "
            "so nothing was folded on it; delete that day from core_customer_states and run again"
        )
    records = np.frombuffer(b"".join(states), dtype=_RECORD)
    return CustomerRows(*(records[name].astype(values.dtype) for name, values in _empty().items()))


def _empty() -> dict[str, Any]:
    return CustomerRows.empty(0)._asdict()


def with_states(known: CustomerState, keys: UInt64s, states: Sequence[bytes]) -> CustomerState:
    """Add customers with stored states to the known ones."""
    if not len(keys):
        return known
    there = known.copied()
    return CustomerState.from_copy(
        CustomerArrays(
            np.concatenate([there.keys, keys]), there.rows.followed_by(rows_from(states))
        )
    )
