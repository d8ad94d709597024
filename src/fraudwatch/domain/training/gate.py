"""Whether a challenger replaces what is in use: only if it is better, and that is no chance.

Both are held against the same purchases, of days on which neither was trained: the challenger's
score beside the one that was served and archived at the time (never computed again afterwards).
The challenger is better if

* its average precision is higher by a margin, and
* it is higher in nine of ten samples that are drawn from the same purchases with replacement, and
* within the analysts' daily capacity it finds no fewer compromised cards and no less fraud money,
  a small tolerance apart.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from fraudwatch.domain.evaluation.labelled_scores import Flags, Floats, Judged
from fraudwatch.domain.evaluation.ranking import average_precision
from fraudwatch.domain.training.numbers import numbers_of, part_of

SAMPLES: Final = 100
# Of a day, at least this share must have been scored: on half a day nobody can be compared.
COVERED_RATIO: Final = 0.95


class Ruling(enum.StrEnum):
    """What the gate says."""

    BETTER = "better"
    NOT_BETTER = "not_better"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is asked of a challenger."""

    margin: float = 0.005
    wins_ratio: float = 0.9
    tolerance: float = 0.02
    fewest_frauds: int = 20
    cards_a_day: int = 100
    seed: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """Purchases that neither was trained on; the reference is NaN where it was not served."""

    judged: Judged
    challenger: Floats
    reference: Floats
    reference_name: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The ruling, why in a sentence, and the numbers it was made of."""

    ruling: Ruling
    because: str
    challenger: dict[str, float] = field(default_factory=dict)
    reference: dict[str, float] = field(default_factory=dict)
    wins_ratio: float = float("nan")
    days: int = 0
    frauds: int = 0


def decide(contest: Contest, terms: Terms) -> Decision:
    """Hold the challenger against the reference on the days that the reference served."""
    chosen = _served(contest)
    judged = part_of(contest.judged, chosen)
    frauds, days = int(judged.is_fraud.sum()), len(np.unique(judged.day))
    if reason := _too_little(contest, judged, frauds, terms):
        return Decision(Ruling.CANNOT_TELL, reason, days=days, frauds=frauds)
    challenger, reference = contest.challenger[chosen], contest.reference[chosen]
    ours = numbers_of(judged, challenger, terms.cards_a_day)
    theirs = numbers_of(judged, reference, terms.cards_a_day)
    wins = _wins(judged.is_fraud, challenger, reference, terms.seed)
    failed = _failed(ours, theirs, wins, terms)
    ruling = Ruling.NOT_BETTER if failed else Ruling.BETTER
    said = "; ".join(failed) or (
        f"average precision {ours['average_precision']:.3f} against "
        f"{theirs['average_precision']:.3f} of {contest.reference_name}, higher in "
        f"{wins:.0%} of the samples"
    )
    return Decision(ruling, said, ours, theirs, wins, days, frauds)


def _served(contest: Contest) -> Flags:
    """The purchases with a reference, of days on which nearly all have one."""
    has_one = ~np.isnan(contest.reference)
    if not len(has_one):
        return has_one
    _, place = np.unique(contest.judged.day, return_inverse=True)
    covered = np.bincount(place, weights=has_one) / np.bincount(place)
    found: Flags = has_one & (covered[place] >= COVERED_RATIO)
    return found


def _too_little(contest: Contest, judged: Judged, frauds: int, terms: Terms) -> str:
    if not len(judged.is_fraud):
        return (
            f"{contest.reference_name} served no whole day that is old enough to be measured, so "
            "there is nothing to compare with yet"
        )
    if frauds < terms.fewest_frauds:
        return (
            f"the days that {contest.reference_name} served hold {frauds} known frauds, and "
            f"{terms.fewest_frauds} are needed to tell who is better"
        )
    if frauds == len(judged.is_fraud):
        return "the days compared hold no genuine purchase"
    return ""


def _failed(
    ours: dict[str, float], theirs: dict[str, float], wins: float, terms: Terms
) -> list[str]:
    """Each condition that does not hold, in words."""
    found = []
    ap, reference_ap = ours["average_precision"], theirs["average_precision"]
    if ap < reference_ap + terms.margin:
        found.append(
            f"average precision {ap:.3f} is not {terms.margin} above the {reference_ap:.3f} in use"
        )
    elif wins < terms.wins_ratio:
        found.append(
            f"average precision is higher ({ap:.3f} against {reference_ap:.3f}) in only {wins:.0%} "
            f"of the samples, {terms.wins_ratio:.0%} are asked for"
        )
    for name, words in (
        ("card_precision", "compromised cards among those looked at a day"),
        ("value_in_budget", "fraud money within the capacity"),
    ):
        if ours[name] < theirs[name] - terms.tolerance:
            found.append(f"{words}: {ours[name]:.3f} against {theirs[name]:.3f}")
    return found


def _wins(is_fraud: Flags, challenger: Floats, reference: Floats, seed: int) -> float:
    """In how many samples the challenger's average precision is higher (bootstrap, Efron 1979).

    Frauds and the rest are drawn apart, so that each sample holds as many of both.
    """
    random = np.random.default_rng(seed)
    kinds = [np.flatnonzero(is_fraud), np.flatnonzero(~is_fraud)]
    won = 0
    for _ in range(SAMPLES):
        rows = np.concatenate([random.choice(kind, len(kind)) for kind in kinds])
        ours = average_precision(challenger[rows], is_fraud[rows])
        won += ours > average_precision(reference[rows], is_fraud[rows])
    return won / SAMPLES
