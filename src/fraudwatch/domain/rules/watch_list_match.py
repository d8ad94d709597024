"""Watch-list match: the customer's name is similar to one on a watch list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from fraudwatch.domain.messages.transaction import WatchListCountry
from fraudwatch.domain.rules.rule import UNKNOWN, Answers, RuleInput, at_least

# Columns of a transaction that the rule reads; ingest wrote them.
WATCH_LIST_TEXTS: Final = ("watch_list_entry", "watch_list_country")
WATCH_LIST_SIMILARITY: Final = "watch_list_similarity"
_COUNTRIES: Final[Mapping[str | None, str]] = {
    WatchListCountry.SAME: "An address is in a country of the entry.",
    WatchListCountry.OTHER: "No address is in a country of the entry.",
    None: "Countries cannot be compared.",
}


@dataclass(frozen=True, slots=True)
class WatchListMatch:
    """Hits from a similarity on; countries are only in the sentence.

    Without a match the answer is unknown: a purchase without a name, one from before the list, and
    a name that is similar to none are the same on the message.
    """

    name: ClassVar[str] = "watch_list_match"
    points: int
    from_similarity: float

    def answer(self, inputs: RuleInput) -> Answers:
        if not len(inputs.watch_list_similarity):
            return np.full(len(inputs.amount_eur_cents), UNKNOWN)
        return at_least(inputs.watch_list_similarity, self.from_similarity)

    def sentence(self, inputs: RuleInput, i: int) -> str:
        countries = inputs.watch_list_country
        country = countries[i] if countries else None
        return (
            f"The name is similar to entry {inputs.watch_list_entry[i]} of a watch list: "
            f"{inputs.watch_list_similarity[i]:.2f}; threshold {self.from_similarity:.2f}. "
            f"{_COUNTRIES[country]}"
        )
