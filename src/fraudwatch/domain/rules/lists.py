"""Lists: cards, devices, sellers and countries that people decided about by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from fraudwatch.domain.rules.rule import MISS, Answers, Seen, answers, any_of

ALLOW_LIST = "allow_list"


@dataclass(frozen=True, slots=True)
class Listed:
    """The entries of one list; its fields are the columns of a purchase that they are sought in."""

    card_token: frozenset[str] = frozenset()
    device_token: frozenset[str] = frozenset()
    merchant_id: frozenset[str] = frozenset()
    merchant_country: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return any(getattr(self, item.name) for item in fields(self))

    def answer(self, seen: Seen) -> Answers:
        """HIT where one column is listed, UNKNOWN where none is and one that is sought is absent.

        Nobody is on an empty list, so that is a plain MISS.
        """
        nobody = np.full(len(seen.amount_eur_cents), MISS)
        return any_of(nobody, *(self._column(seen, i.name) for i in fields(self)))

    def found(self, seen: Seen, i: int) -> str:
        """What of purchase ``i`` is listed, in words; tokens tell an analyst nothing."""
        return ", ".join(self._words(seen, i))

    def _column(self, seen: Seen, name: str) -> Answers:
        entries, rows = getattr(self, name), len(seen.amount_eur_cents)
        column = getattr(seen, name) or (None,) * rows
        if not entries:
            return np.full(rows, MISS)
        is_listed = np.fromiter(map(entries.__contains__, column), np.bool_, rows)
        return answers(is_listed, np.array([value is not None for value in column], np.bool_))

    def _words(self, seen: Seen, i: int) -> Iterator[str]:
        if seen.card_token and seen.card_token[i] in self.card_token:
            yield "the card"
        if seen.device_token and seen.device_token[i] in self.device_token:
            yield "the device"
        if seen.merchant_id and seen.merchant_id[i] in self.merchant_id:
            yield f"the seller {seen.merchant_id[i]}"
        if seen.merchant_country and seen.merchant_country[i] in self.merchant_country:
            yield f"the seller's country {seen.merchant_country[i]}"


@dataclass(frozen=True, slots=True)
class DenyList:
    """Hits what is on the deny list; an allow list cannot undo it."""

    name: ClassVar[str] = "deny_list"
    points: int
    listed: Listed

    def answer(self, seen: Seen) -> Answers:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        return self.listed.answer(seen)

    def sentence(self, seen: Seen, i: int) -> str:
        """See :class:`~fraudwatch.domain.rules.rule.Rule`."""
        return f"On the deny list: {self.listed.found(seen, i)}."
