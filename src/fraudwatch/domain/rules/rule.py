"""What a rule is: an answer per purchase, and a sentence for each one it hits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.features.feature_vector import SERVED_INDEX

# The three answers a rule may give; a rule that cannot know does not say no.
HIT: Final = np.int8(1)
MISS: Final = np.int8(0)
UNKNOWN: Final = np.int8(-1)

Answers = npt.NDArray[np.int8]
Float64s = npt.NDArray[np.float64]


class Seen(NamedTuple):
    """What rules look at: the purchases' own columns and their feature vectors.

    The identifying columns are for the lists alone; one left empty is unknown of every purchase.
    """

    amount_eur_cents: npt.NDArray[np.int64]
    features: Float64s  # [purchase, SERVED], NaN unknown
    card_token: Sequence[str | None] = ()
    device_token: Sequence[str | None] = ()
    merchant_id: Sequence[str | None] = ()
    merchant_country: Sequence[str | None] = ()

    def feature(self, name: str) -> Float64s:
        """One feature of every purchase."""
        return self.features[:, SERVED_INDEX[name]]

    def value(self, name: str, i: int) -> float:
        """One feature of one purchase: a sentence reads no whole column."""
        return float(self.features[i, SERVED_INDEX[name]])


class Rule(Protocol):
    """A frozen value with its parameters, built from the policy."""

    name: ClassVar[str]

    @property
    def points(self) -> int:
        """What the policy gives for a hit."""

    def answer(self, seen: Seen) -> Answers:
        """HIT, MISS or UNKNOWN for every purchase."""

    def sentence(self, seen: Seen, i: int) -> str:
        """Why purchase ``i`` was hit, with its numbers, for an analyst."""


def answers(is_hit: npt.NDArray[np.bool_], is_known: npt.NDArray[np.bool_]) -> Answers:
    """Turn two masks into the three answers."""
    return np.where(is_known, np.where(is_hit, HIT, MISS), UNKNOWN)


def at_least(values: Float64s, bound: float) -> Answers:
    """HIT from ``bound`` on, UNKNOWN where the value is."""
    return answers(values >= bound, ~np.isnan(values))


def all_of(*conditions: Answers) -> Answers:
    """HIT if every condition is; a single MISS settles it, whatever is unknown beside it."""
    some_miss = np.logical_or.reduce([one == MISS for one in conditions])
    some_unknown = np.logical_or.reduce([one == UNKNOWN for one in conditions])
    return answers(~some_miss, some_miss | ~some_unknown)


def any_of(*conditions: Answers) -> Answers:
    """HIT if one condition is; MISS only if all of them are known to be."""
    some_hit = np.logical_or.reduce([one == HIT for one in conditions])
    some_unknown = np.logical_or.reduce([one == UNKNOWN for one in conditions])
    return answers(some_hit, some_hit | ~some_unknown)
