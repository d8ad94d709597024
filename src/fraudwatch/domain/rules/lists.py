"""Allow list and deny list: customers, cards, devices, networks, merchants and countries.

An entry may expire. Expiry is compared with the event's own time, never with a clock, so that a
replayed micro-batch, a rescoring and a backtest give the answer of the first time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

import numpy as np

from fraudwatch.domain.arrays import Bools
from fraudwatch.domain.rules.rule import MISS, Answers, RuleInput, answers, any_of

ALLOW_LIST = "allow_list"
NEVER_EXPIRES: Final = int(np.iinfo(np.int64).max)
_NOT_LISTED: Final = int(np.iinfo(np.int64).min)

Entries = Mapping[str, int]
"""Event time (epoch ms) from which each value is no longer listed."""


@dataclass(frozen=True, slots=True)
class ListEntries:
    """Entries of one list; each field holds entries for the purchase's column of that name."""

    customer_token: Entries = field(default_factory=dict)
    card_token: Entries = field(default_factory=dict)
    device_token: Entries = field(default_factory=dict)
    ip_network_token: Entries = field(default_factory=dict)
    merchant_id: Entries = field(default_factory=dict)
    merchant_country: Entries = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in LIST_COLUMNS)

    def answer(self, inputs: RuleInput) -> Answers:
        """HIT where a column is listed; UNKNOWN where none is and a column with entries is absent.

        An empty list answers MISS for every purchase.

        Raises:
            ValueError: an entry expires and the event times are not given.
        """
        no_entry = np.full(len(inputs.amount_eur_cents), MISS)
        return any_of(no_entry, *(self._column(inputs, name) for name in LIST_COLUMNS))

    def describe(self, inputs: RuleInput, i: int) -> str:
        """Describe in words what of purchase ``i`` is listed; tokens would not help an analyst."""
        return ", ".join(self._words(inputs, i))

    def _column(self, inputs: RuleInput, name: str) -> Answers:
        entries, rows = getattr(self, name), len(inputs.amount_eur_cents)
        if not entries:
            return np.full(rows, MISS)
        column = getattr(inputs, name) or (None,) * rows
        until_ms = np.fromiter(
            (entries.get(value, _NOT_LISTED) for value in column), np.int64, rows
        )
        is_listed: Bools = until_ms == NEVER_EXPIRES
        if any(until != NEVER_EXPIRES for until in entries.values()):
            if len(inputs.event_at_ms) != rows:
                raise ValueError(f"an entry of {name} expires, so rules need event times")
            is_listed = is_listed | (inputs.event_at_ms < until_ms)
        return answers(is_listed, np.array([value is not None for value in column], np.bool_))

    def _words(self, inputs: RuleInput, i: int) -> Iterator[str]:
        for name, words in LIST_COLUMNS.items():
            column = getattr(inputs, name)
            until_ms = getattr(self, name).get(column[i], _NOT_LISTED) if column else _NOT_LISTED
            if until_ms == NEVER_EXPIRES or (
                until_ms != _NOT_LISTED and inputs.event_at_ms[i] < until_ms
            ):
                yield words.format(column[i])


# Columns of a purchase that lists read, and an entry in words.
LIST_COLUMNS: Final[Mapping[str, str]] = {
    "customer_token": "the customer",
    "card_token": "the card",
    "device_token": "the device",
    "ip_network_token": "the network",
    "merchant_id": "the merchant {}",
    "merchant_country": "the merchant's country {}",
}


@dataclass(frozen=True, slots=True)
class DenyList:
    """Hits what is on the deny list; an allow list does not overrule it."""

    name: ClassVar[str] = "deny_list"
    points: int
    listed: ListEntries

    def answer(self, inputs: RuleInput) -> Answers:
        return self.listed.answer(inputs)

    def sentence(self, inputs: RuleInput, i: int) -> str:
        return f"On the deny list: {self.listed.describe(inputs, i)}."
