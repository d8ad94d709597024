"""What a rule is: an answer per purchase, and a sentence for each one it hits."""

from __future__ import annotations

from typing import ClassVar, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.features.catalogue import FEATURE_INDEX

# The three answers a rule may give; a rule that cannot know does not say no.
HIT: Final = np.int8(1)
MISS: Final = np.int8(0)
UNKNOWN: Final = np.int8(-1)

Answers = npt.NDArray[np.int8]


class Seen(NamedTuple):
    """What rules look at: the purchases' own columns and their feature vectors."""

    amount_eur_cents: npt.NDArray[np.int64]
    features: npt.NDArray[np.float64]  # [purchase, feature], NaN unknown

    def feature(self, name: str) -> npt.NDArray[np.float64]:
        """One feature of every purchase."""
        return self.features[:, FEATURE_INDEX[name]]


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
