"""Promotion gate: a challenger replaces the champion only if what it would serve is better.

Both are compared on the same purchases, of days on which neither was trained: the challenger's
final verdicts under the live policy with those that were served and archived at the time (never
recomputed afterwards). The challenger is better if

* the average precision of its score is higher by a margin, and
* it is higher in nine of ten samples that are drawn from the same purchases with replacement, and
* within the analysts' daily capacity it detects no fewer compromised cards and no less fraud
  amount, and its recall at one false positive in 1,000 is no lower, within a small tolerance, and
* its score is a probability that knows more than the base rate, by the Brier score, and
* its alerts a day do not exceed the budget by half of it, beyond chance.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from fraudwatch.domain.arrays import Bools, Float64s
from fraudwatch.domain.evaluation.calibration import ReliabilityBin, reliability_bins
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores
from fraudwatch.domain.evaluation.ranking import average_precision
from fraudwatch.domain.evaluation.whole_days import on_whole_days
from fraudwatch.domain.training.final_verdicts import FinalVerdicts, verdict_numbers
from fraudwatch.domain.training.numbers import numbers_of, part_of

SAMPLES: Final = 100
# With fewer, a false positive ratio of .001 lies between no genuine purchase and the first one.
_FEWEST_GENUINE: Final = 1_000


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
    alerts_over_budget: float = 1.5
    standard_errors: float = 3.0
    seed: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class GateInput:
    """Final verdicts on purchases that neither was trained on; see :class:`FinalVerdicts`."""

    labelled: LabelledScores
    challenger: FinalVerdicts
    reference: FinalVerdicts
    reference_name: str
    budget_a_day: float | None = None
    """Alerts a day that the policy allows; None: its review begins at a fixed score."""


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
    budget_a_day: float | None = None
    challenger_bins: list[ReliabilityBin] = field(default_factory=list)
    reference_bins: list[ReliabilityBin] = field(default_factory=list)


def decide(given: GateInput, config: GateConfig) -> GateResult:
    """Compare the challenger with the reference on the days that the reference served."""
    chosen = _with_reference(given)
    labelled = part_of(given.labelled, chosen)
    frauds, days = int(labelled.is_fraud.sum()), len(np.unique(labelled.day))
    if reason := _why_undecided(given, labelled, frauds, config):
        return GateResult(GateDecision.INCONCLUSIVE, reason, days=days, frauds=frauds)
    challenger, reference = given.challenger.part(chosen), given.reference.part(chosen)
    ours = _numbers(labelled, challenger, config)
    theirs = _numbers(labelled, reference, config)
    wins = _wins(labelled.is_fraud, challenger.score, reference.score, config.seed)
    unmet = [
        *_unmet_ranking(ours, theirs, wins, config),
        *_unmet_within_capacity(ours, theirs, labelled, config),
        *_unmet_calibration(ours),
        *_unmet_budget(ours, given.budget_a_day, days, config),
    ]
    ruling = GateDecision.NOT_BETTER if unmet else GateDecision.BETTER
    reason = "; ".join(unmet) or (
        f"average precision {ours['average_precision']:.3f} against "
        f"{theirs['average_precision']:.3f} of {given.reference_name}, higher in {wins:.0%} of the "
        "samples"
    )
    return GateResult(
        ruling=ruling,
        because=reason,
        challenger=ours,
        reference=theirs,
        wins_ratio=wins,
        days=days,
        frauds=frauds,
        budget_a_day=given.budget_a_day,
        challenger_bins=reliability_bins(challenger.score, labelled.is_fraud),
        reference_bins=reliability_bins(reference.score, labelled.is_fraud),
    )


def _numbers(
    labelled: LabelledScores, verdicts: FinalVerdicts, config: GateConfig
) -> dict[str, float]:
    ranked = numbers_of(labelled, verdicts.score, config.cards_a_day)
    return ranked | verdict_numbers(labelled, verdicts)


def _with_reference(given: GateInput) -> Bools:
    """Select purchases with a reference score, on days on which nearly all have one."""
    return on_whole_days(given.labelled.day, ~np.isnan(given.reference.score))


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


def _unmet_ranking(
    ours: dict[str, float], theirs: dict[str, float], wins: float, config: GateConfig
) -> list[str]:
    ap, reference_ap = ours["average_precision"], theirs["average_precision"]
    if ap < reference_ap + config.margin:
        return [f"average precision {ap:.3f} is not {config.margin} above {reference_ap:.3f}"]
    if wins < config.wins_ratio:
        found = f"average precision is higher ({ap:.3f} against {reference_ap:.3f})"
        return [f"{found} in only {wins:.0%} of the samples; required {config.wins_ratio:.0%}"]
    return []


def _unmet_within_capacity(
    ours: dict[str, float],
    theirs: dict[str, float],
    labelled: LabelledScores,
    config: GateConfig,
) -> list[str]:
    compared = {
        "card_precision": "card precision within the daily budget",
        "value_in_budget": "fraud amount within the capacity",
    }
    if int((~labelled.is_fraud).sum()) >= _FEWEST_GENUINE:
        compared["recall_at_fpr_0_001"] = "recall at a false positive ratio of .001"
    return [
        f"{words}: {ours[name]:.3f} against {theirs[name]:.3f}"
        for name, words in compared.items()
        if ours[name] < theirs[name] - config.tolerance
    ]


def _unmet_calibration(ours: dict[str, float]) -> list[str]:
    brier, of_base_rate = ours["brier"], ours["brier_of_base_rate"]
    if brier < of_base_rate:
        return []
    reason = "the score is no better a probability than the base rate"
    return [f"{reason}: Brier score {brier:.5f} against {of_base_rate:.5f}"]


def _unmet_budget(
    ours: dict[str, float], budget_a_day: float | None, days: int, config: GateConfig
) -> list[str]:
    """Compare alerts a day with the budget; their standard error is that of a Poisson count."""
    if budget_a_day is None:
        return []
    limit = config.alerts_over_budget * budget_a_day
    limit += config.standard_errors * math.sqrt(limit / days)
    found = ours["alerts_a_day"]
    if found <= limit:
        return []
    return [f"{found:.1f} alerts a day; the budget is {budget_a_day:.1f}, the limit {limit:.1f}"]


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
