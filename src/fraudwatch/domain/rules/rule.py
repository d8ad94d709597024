"""Define a rule: an answer per purchase, and a sentence for each hit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.arrays import Bools, Float64s, Int64s
from fraudwatch.domain.features.feature_vector import VECTOR_INDEX

# The three answers of a rule; missing data is unknown, not a miss.
HIT: Final = np.int8(1)
MISS: Final = np.int8(0)
UNKNOWN: Final = np.int8(-1)

Answers = npt.NDArray[np.int8]
_NO_TIMES: Final[Int64s] = np.empty(0, dtype=np.int64)
_NO_NUMBERS: Final[Float64s] = np.empty(0, dtype=np.float64)


class RuleInput(NamedTuple):
    """Batch of purchases for rules: their own columns and their feature vectors.

    Only the lists read the identifying columns; an empty one is unknown for every purchase.
    """

    amount_eur_cents: Int64s
    features: Float64s  # [purchase, SERVED], NaN unknown
    card_token: Sequence[str | None] = ()
    device_token: Sequence[str | None] = ()
    merchant_id: Sequence[str | None] = ()
    merchant_country: Sequence[str | None] = ()
    transaction_id: Sequence[str] = ()  # only a control group needs it
    customer_token: Sequence[str | None] = ()
    ip_network_token: Sequence[str | None] = ()
    event_at_ms: Int64s = _NO_TIMES  # only a list entry that expires needs it
    applied_default: Sequence[str | None] = ()  # empty: of none
    watch_list_entry: Sequence[str | None] = ()
    watch_list_country: Sequence[str | None] = ()
    watch_list_similarity: Float64s = _NO_NUMBERS  # NaN: no match; empty: of none

    def feature(self, name: str) -> Float64s:
        """Return one feature of every purchase."""
        return self.features[:, VECTOR_INDEX[name]]

    def value(self, name: str, i: int) -> float:
        """Return one feature of one purchase, without reading the whole column."""
        return float(self.features[i, VECTOR_INDEX[name]])


class Rule(Protocol):
    """A frozen value with its parameters, built from the policy."""

    name: ClassVar[str]

    @property
    def points(self) -> int:
        """Points that the policy gives for a hit."""

    def answer(self, inputs: RuleInput) -> Answers:
        """Return HIT, MISS or UNKNOWN for every purchase."""

    def sentence(self, inputs: RuleInput, i: int) -> str:
        """Return why purchase ``i`` was hit: what was found, what the limit is."""


def answers(is_hit: Bools, is_known: Bools) -> Answers:
    """Turn two masks into the three answers."""
    return np.where(is_known, np.where(is_hit, HIT, MISS), UNKNOWN)


def at_least(values: Float64s, bound: float) -> Answers:
    """HIT from ``bound`` upwards, UNKNOWN where the value is."""
    return answers(values >= bound, ~np.isnan(values))


def at_most(values: Float64s, bound: float) -> Answers:
    """HIT up to ``bound``, UNKNOWN where the value is."""
    return answers(values <= bound, ~np.isnan(values))


def all_of(*conditions: Answers) -> Answers:
    """HIT if every condition is; a single MISS decides, even beside unknown ones."""
    some_miss = np.logical_or.reduce([one == MISS for one in conditions])
    some_unknown = np.logical_or.reduce([one == UNKNOWN for one in conditions])
    return answers(~some_miss, some_miss | ~some_unknown)


def any_of(*conditions: Answers) -> Answers:
    """HIT if one condition is; MISS only if all of them are known to be."""
    some_hit = np.logical_or.reduce([one == HIT for one in conditions])
    some_unknown = np.logical_or.reduce([one == UNKNOWN for one in conditions])
    return answers(some_hit, some_hit | ~some_unknown)
