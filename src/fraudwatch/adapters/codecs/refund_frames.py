"""Fold a batch's purchases and refunds in the order of their messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.domain.arrays import Int64s
from fraudwatch.domain.features.events import Events, Folded
from fraudwatch.domain.features.fold import fold
from fraudwatch.domain.features.hashing import keys_of
from fraudwatch.domain.features.refunds import Refunds, fold_refunds
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.refund import Refund

# No transaction id has a space, so no refund is taken for a purchase of the same id.
_KEY_PREFIX = "refund "


class ParsedRefunds(NamedTuple):
    """Valid refunds with their positions in the batch, and the refused ones."""

    columns: Refunds
    position: Int64s
    refused: list[tuple[int, Refused]]


def parse_refunds(
    messages: Sequence[bytes], places: Sequence[int], produced_at_ms: Int64s
) -> ParsedRefunds:
    """Parse the refunds at these places one by one: they are few."""
    good: list[tuple[int, Refund]] = []
    refused: list[tuple[int, Refused]] = []
    for place in places:
        try:
            good.append((place, _checked(messages[place])))
        except Refused as why:
            refused.append((place, why))
    position = np.array([place for place, _ in good], dtype=np.int64)
    refunds = [refund for _, refund in good]
    columns = Refunds(
        customer_key=keys_of([one.customer_token for one in refunds]),
        refund_key=keys_of([_KEY_PREFIX + one.refund_id for one in refunds]),
        purchased_at_ms=np.array([one.purchased_at_ms for one in refunds], dtype=np.int64),
        produced_at_ms=produced_at_ms[position],
        amount_eur_cents=np.array([one.amount_eur_cents for one in refunds], dtype=np.int64),
    )
    return ParsedRefunds(columns, position, refused)


def _checked(message: bytes) -> Refund:
    refund = decode(Refund, message)
    if broken := problems(refund):
        raise Refused(Code.OUT_OF_BOUNDS, broken)
    return refund


def fold_in_order(
    customers: CustomerState, events: Events, position: Int64s, refunds: ParsedRefunds
) -> tuple[Folded, int]:
    """Fold purchases and refunds by position; return the purchases' results and repeated refunds.

    Purchases between two refunds are folded at once.
    """
    parts, repeats = [], 0
    for rows, given_back in _turns(position, refunds.position):
        parts.append(fold(customers, Events._make(column[rows] for column in events)))
        if given_back.stop > given_back.start:
            back = Refunds._make(column[given_back] for column in refunds.columns)
            repeats += int(fold_refunds(customers, back).sum())
    columns = zip(*parts, strict=True)
    return Folded._make(np.concatenate(column) for column in columns), repeats


def _turns(position: Int64s, refunded: Int64s) -> Iterator[tuple[slice, slice]]:
    """Yield runs of purchases, each with the run of refunds behind it, maybe empty."""
    before = np.searchsorted(position, refunded)  # purchases before each refund
    ends, first_of_run = np.unique(before, return_index=True)
    last_of_run = np.append(first_of_run, len(refunded))[1:]
    begin = 0
    for end, first, last in zip(ends, first_of_run, last_of_run, strict=True):
        yield slice(begin, int(end)), slice(int(first), int(last))
        begin = int(end)
    yield slice(begin, len(position)), slice(len(refunded), len(refunded))
