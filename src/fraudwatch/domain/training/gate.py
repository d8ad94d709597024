"""Promotion gate: a challenger replaces the champion only if it is significantly better.

Both are compared on the same purchases, of days on which neither was trained: the challenger's
score with the one that was served and archived at the time (never recomputed afterwards).
The challenger is better if

* its average precision is higher by a margin, and
* it is higher in nine of ten samples that are drawn from the same purchases with replacement, and
* within the analysts' daily capacity it detects no fewer compromised cards and no less fraud
  amount, within a small tolerance.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from fraudwatch.domain.arrays import Bools, Float64s
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores
from fraudwatch.domain.evaluation.ranking import average_precision
from fraudwatch.domain.training.numbers import numbers_of, part_of

SAMPLES: Final = 100
# At least this share of a day must have a reference score: half a day is no fair comparison.
COVERED_RATIO: Final = 0.95


class GateDecision(enum.StrEnum):
    """Decision of the gate."""

    BETTER = "better"
    NOT_BETTER = "not_better"
    INCONCLUSIVE = "cannot_tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """Requirements for a challenger."""

    margin: float = 0.005
    wins_ratio: float = 0.9
    tolerance: float = 0.02
    fewest_frauds: int = 20
    cards_a_day: int = 100
    seed: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class GateInput:
    """Scores of purchases that neither was trained on; the reference is NaN where not served."""

    labelled: LabelledScores
    challenger: Float64s
    reference: Float64s
    reference_name: str


@dataclass(frozen=True, slots=True)
class GateResult:
    """Decision of the gate, its reason in a sentence, and the metrics behind it."""

    ruling: GateDecision
    because: str
    challenger: dict[str, float] = field(default_factory=dict)
    reference: dict[str, float] = field(default_factory=dict)
    wins_ratio: float = float("nan")
    days: int = 0
    frauds: int = 0


def decide(given: GateInput, config: GateConfig) -> GateResult:
    """Compare the challenger with the reference on the days that the reference served."""
    chosen = _with_reference(given)
    labelled = part_of(given.labelled, chosen)
    frauds, days = int(labelled.is_fraud.sum()), len(np.unique(labelled.day))
    if reason := _why_undecided(given, labelled, frauds, config):
        return GateResult(GateDecision.INCONCLUSIVE, reason, days=days, frauds=frauds)
    challenger, reference = given.challenger[chosen], given.reference[chosen]
    ours = numbers_of(labelled, challenger, config.cards_a_day)
    theirs = numbers_of(labelled, reference, config.cards_a_day)
    wins = _wins(labelled.is_fraud, challenger, reference, config.seed)
    unmet = _unmet(ours, theirs, wins, config)
    ruling = GateDecision.NOT_BETTER if unmet else GateDecision.BETTER
    reason = "; ".join(unmet) or (
        f"average precision {ours['average_precision']:.3f} against "
        f"{theirs['average_precision']:.3f} of {given.reference_name}, higher in "
        f"{wins:.0%} of the samples"
    )
    return GateResult(ruling, reason, ours, theirs, wins, days, frauds)


def _with_reference(given: GateInput) -> Bools:
    """Select purchases with a reference score, on days on which nearly all have one."""
    has_one = ~np.isnan(given.reference)
    if not len(has_one):
        return has_one
    _, place = np.unique(given.labelled.day, return_inverse=True)
    covered = np.bincount(place, weights=has_one) / np.bincount(place)
    found: Bools = has_one & (covered[place] >= COVERED_RATIO)
    return found


def _why_undecided(
    given: GateInput, labelled: LabelledScores, frauds: int, config: GateConfig
) -> str:
    if not len(labelled.is_fraud):
        return (
            f"{given.reference_name} served no whole day that is old enough to be measured, so "
            "there is nothing to compare with yet"
        )
    if frauds < config.fewest_frauds:
        return (
            f"the days that {given.reference_name} served have {frauds} known frauds, and "
            f"{config.fewest_frauds} are needed for a decision"
        )
    if frauds == len(labelled.is_fraud):
        return "the compared days have no genuine purchase"
    return ""


def _unmet(
    ours: dict[str, float], theirs: dict[str, float], wins: float, config: GateConfig
) -> list[str]:
    """Describe each condition that is not met."""
    found = []
    ap, reference_ap = ours["average_precision"], theirs["average_precision"]
    if ap < reference_ap + config.margin:
        found.append(
            f"average precision {ap:.3f} is not {config.margin} above the reference's "
            f"{reference_ap:.3f}"
        )
    elif wins < config.wins_ratio:
        found.append(
            f"average precision is higher ({ap:.3f} against {reference_ap:.3f}) in only {wins:.0%} "
            f"of the samples; required {config.wins_ratio:.0%}"
        )
    for name, words in (
        ("card_precision", "card precision within the daily budget"),
        ("value_in_budget", "fraud amount within the capacity"),
    ):
        if ours[name] < theirs[name] - config.tolerance:
            found.append(f"{words}: {ours[name]:.3f} against {theirs[name]:.3f}")
    return found


def _wins(is_fraud: Bools, challenger: Float64s, reference: Float64s, seed: int) -> float:
    """Return the share of samples with a higher average precision (bootstrap, Efron 1979).

    Frauds and the rest are drawn separately, so that each sample has as many of both.
    """
    random = np.random.default_rng(seed)
    kinds = [np.flatnonzero(is_fraud), np.flatnonzero(~is_fraud)]
    won = 0
    for _ in range(SAMPLES):
        rows = np.concatenate([random.choice(kind, len(kind)) for kind in kinds])
        ours = average_precision(challenger[rows], is_fraud[rows])
        won += ours > average_precision(reference[rows], is_fraud[rows])
    return won / SAMPLES
