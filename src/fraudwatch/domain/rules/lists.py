"""Allow list and deny list: cards, devices, merchants and countries named in the policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from fraudwatch.domain.rules.rule import MISS, Answers, RuleInput, answers, any_of

ALLOW_LIST = "allow_list"


@dataclass(frozen=True, slots=True)
class ListEntries:
    """Entries of one list; each field holds entries for the purchase's column of that name."""

    card_token: frozenset[str] = frozenset()
    device_token: frozenset[str] = frozenset()
    merchant_id: frozenset[str] = frozenset()
    merchant_country: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return any(getattr(self, item.name) for item in fields(self))

    def answer(self, inputs: RuleInput) -> Answers:
        """HIT where a column is listed; UNKNOWN where none is and a column with entries is absent.

        An empty list answers MISS for every purchase.
        """
        no_entry = np.full(len(inputs.amount_eur_cents), MISS)
        return any_of(no_entry, *(self._column(inputs, i.name) for i in fields(self)))

    def describe(self, inputs: RuleInput, i: int) -> str:
        """Describe in words what of purchase ``i`` is listed; tokens would not help an analyst."""
        return ", ".join(self._words(inputs, i))

    def _column(self, inputs: RuleInput, name: str) -> Answers:
        entries, rows = getattr(self, name), len(inputs.amount_eur_cents)
        column = getattr(inputs, name) or (None,) * rows
        if not entries:
            return np.full(rows, MISS)
        is_listed = np.fromiter(map(entries.__contains__, column), np.bool_, rows)
        return answers(is_listed, np.array([value is not None for value in column], np.bool_))

    def _words(self, inputs: RuleInput, i: int) -> Iterator[str]:
        if inputs.card_token and inputs.card_token[i] in self.card_token:
            yield "the card"
        if inputs.device_token and inputs.device_token[i] in self.device_token:
            yield "the device"
        if inputs.merchant_id and inputs.merchant_id[i] in self.merchant_id:
            yield f"the merchant {inputs.merchant_id[i]}"
        if inputs.merchant_country and inputs.merchant_country[i] in self.merchant_country:
            yield f"the merchant's country {inputs.merchant_country[i]}"


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
