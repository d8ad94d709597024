"""Split mixed messages into turns: purchases first, then refunds, each customer's in their order.

A refund changes the windows only behind its purchase, and the next purchase sees it only if it
comes behind the refund. Purchases and refunds are submitted apart, so a turn ends before a
customer's purchase that follows a refund of that customer. With few refunds a page is one turn.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")


class Sortable(NamedTuple, Generic[Item]):
    """One message, its customer (None: not known), and whether it is a refund."""

    item: Item
    customer: Hashable
    is_refund: bool


class Turn(NamedTuple, Generic[Item]):
    """Purchases to submit first, and refunds to submit after them."""

    purchases: list[Item]
    refunds: list[Item]


def turns_of(messages: Iterable[Sortable[Item]]) -> Iterator[Turn[Item]]:
    """Split messages into the fewest turns that keep the order of each customer's messages."""
    turn: Turn[Item] = Turn([], [])
    refunded: set[Hashable] = set()
    for one in messages:
        if one.is_refund:
            turn.refunds.append(one.item)
            refunded.add(one.customer)
            continue
        if one.customer in refunded:
            yield turn
            turn, refunded = Turn([], []), set()
        turn.purchases.append(one.item)
    if turn.purchases or turn.refunds:
        yield turn
