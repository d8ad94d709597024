"""Evaluate alerts where only some purchases have a label (label coverage).

A purchase without a label is neither fraud nor genuine: it counts in no ratio, and without any
label a ratio or a sum is unknown, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.arrays import Bools, Int64s
from fraudwatch.domain.evaluation.labelled_scores import ratio
from fraudwatch.domain.messages.verdict import Outcome

OutcomeCodes = npt.NDArray[np.int8]
OUTCOMES: Final = tuple(Outcome)
APPROVED: Final = OUTCOMES.index(Outcome.APPROVE)
CHALLENGED: Final = OUTCOMES.index(Outcome.CHALLENGE)
DECLINED: Final = OUTCOMES.index(Outcome.DECLINE)
UNSCORED: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMask:
    """Labels of purchases as masks; most purchases have none."""

    is_fraud: Bools
    is_genuine: Bools
    is_decided: Bools
    """Decided by an analyst. Chargebacks name frauds alone, so they show no false positive."""
    eur_cents: Int64s
    is_paid: Bools
    """Its payment was approved: a declined one moves no money."""

    @property
    def is_labelled(self) -> Bools:
        """Mask of purchases with a label of fraud or genuine."""
        return self.is_fraud | self.is_genuine

    def among(self, chosen: Bools) -> LabelMask:
        """Select some purchases."""
        return LabelMask(**{one.name: getattr(self, one.name)[chosen] for one in fields(self)})

    def eur_cents_of(self, chosen: Bools) -> int:
        """Return the paid amount of the selected purchases."""
        return int(self.eur_cents[chosen & self.is_paid].sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledMetrics:
    """Metrics of hits by their labels."""

    hits: int
    known_frauds: int
    known_genuine: int
    decided: int
    decided_frauds: int
    precision_of_decided: float
    """Frauds among those that analysts decided: the precision of ``docs/reports.md``."""
    precision_of_labelled: float
    """Frauds among those with any label: too high where chargebacks name frauds alone."""
    recall: float
    """Hits among all known frauds."""
    fraud_eur_cents: int | None
    """Amount of known frauds; None where none of these purchases has a label."""


def labelled_metrics(known: LabelMask, is_hit: Bools) -> LabelledMetrics:
    """Compare hits with the known labels."""
    frauds, genuine = is_hit & known.is_fraud, is_hit & known.is_genuine
    decided = is_hit & known.is_decided
    has_label = bool((frauds | genuine).any())
    return LabelledMetrics(
        hits=int(is_hit.sum()),
        known_frauds=int(frauds.sum()),
        known_genuine=int(genuine.sum()),
        decided=int(decided.sum()),
        decided_frauds=int((decided & known.is_fraud).sum()),
        precision_of_decided=ratio((decided & known.is_fraud).sum(), decided.sum()),
        precision_of_labelled=ratio(frauds.sum(), (frauds | genuine).sum()),
        recall=ratio(frauds.sum(), known.is_fraud.sum()),
        fraud_eur_cents=known.eur_cents_of(frauds) if has_label else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Amounts of approved payments; everything is None where none of them has a label."""

    caught_eur_cents: int | None = None
    """Known fraud that was not approved."""
    declined_eur_cents: int | None = None
    """Of that, the declined part, without challenges and reviews."""
    challenged_eur_cents: int | None = None
    """Of the caught fraud, the part that was challenged."""
    missed_eur_cents: int | None = None
    """Known fraud that was approved."""
    wrongly_blocked_eur_cents: int | None = None
    """Known genuine purchases that were declined."""
    value_recall_ratio: float = float("nan")
    """Caught part of all known fraud amounts."""


def money(known: LabelMask, outcome: OutcomeCodes) -> Money:
    """Sum the fraud amounts that a policy caught and missed, and wrongly declined amounts."""
    if not (known.is_labelled & known.is_paid).any():
        return Money()
    is_alert, is_declined = outcome > APPROVED, outcome == DECLINED
    is_challenged = outcome == CHALLENGED
    caught = known.eur_cents_of(known.is_fraud & is_alert)
    missed = known.eur_cents_of(known.is_fraud & (outcome == APPROVED))
    return Money(
        caught_eur_cents=caught,
        declined_eur_cents=known.eur_cents_of(known.is_fraud & is_declined),
        challenged_eur_cents=known.eur_cents_of(known.is_fraud & is_challenged),
        missed_eur_cents=missed,
        wrongly_blocked_eur_cents=known.eur_cents_of(known.is_genuine & is_declined),
        value_recall_ratio=ratio(caught, caught + missed),
    )
