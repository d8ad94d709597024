"""Cut slices of a data file into batches to send, each customer's messages in event order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from fraudwatch.application.intake.turns import Sortable, turns_of
from fraudwatch.application.replay.ports import BadRow, Batch, Part


class Slice(NamedTuple):
    """Purchases among consecutive rows in event order, with their row numbers and the bad rows."""

    numbers: pl.Series
    purchases: pl.DataFrame
    bad: dict[int, BadRow]


class RefundSlice(NamedTuple):
    """Refunds among the same rows, like the purchases."""

    numbers: pl.Series
    refunds: pl.DataFrame
    bad: dict[int, BadRow]


class MixedSlice(NamedTuple):
    """Consecutive rows in event order: purchases, refunds, and which row is which."""

    bought: Slice
    refunded: RefundSlice | None
    is_refund: list[bool]


class _Row(NamedTuple):
    place: int  # in the purchases or in the refunds
    is_refund: bool


def batches_of(piece: MixedSlice, size: int) -> Iterator[Batch]:
    """Yield batches of at most ``size`` rows."""
    counts = [0, 0]
    rows = []
    for is_refund in piece.is_refund:
        rows.append(_Row(counts[is_refund], is_refund))
        counts[is_refund] += 1
    for first in range(0, len(rows), size):
        yield _batch(piece, rows[first : first + size])


def _batch(piece: MixedSlice, rows: list[_Row]) -> Batch:
    bad, good = [], []
    for row in rows:
        found = _of(piece, row).bad.get(row.place)
        if found is None:
            good.append(row)
        else:
            bad.append(found)
    if piece.refunded is None:
        places = [row.place for row in good]
        return Batch([_part(piece.bought.numbers, piece.bought.purchases, places)], bad)
    parts = []
    purchases, refunds = piece.bought.purchases, piece.refunded.refunds
    sortable = (Sortable(row, _customer(purchases, refunds, row), row.is_refund) for row in good)
    for turn in turns_of(sortable):
        if turn.purchases:
            places = [row.place for row in turn.purchases]
            parts.append(_part(piece.bought.numbers, purchases, places))
        if turn.refunds:
            places = [row.place for row in turn.refunds]
            parts.append(_part(piece.refunded.numbers, refunds, places, is_refund=True))
    return Batch(parts, bad)


def _of(piece: MixedSlice, row: _Row) -> Slice | RefundSlice:
    if row.is_refund and piece.refunded is not None:
        return piece.refunded
    return piece.bought


def _customer(bought: pl.DataFrame, refunds: pl.DataFrame, row: _Row) -> str:
    customer: str = (refunds if row.is_refund else bought)["customer_id"][row.place]
    return customer


def _part(
    numbers: pl.Series, messages: pl.DataFrame, places: list[int], *, is_refund: bool = False
) -> Part:
    lines = messages[places].write_ndjson().encode().splitlines()
    return Part([numbers[i] for i in places], lines, is_refund)
