"""What marks are worth where only some purchases have a label.

A purchase without a label is neither fraud nor genuine: it is in no share, and where nothing is
labelled a share or a sum is unknown, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.evaluation.labelled_scores import Flags, Integers, ratio
from fraudwatch.domain.messages.verdict import Outcome

Places = npt.NDArray[np.int8]
OUTCOMES: Final = tuple(Outcome)
APPROVED: Final = OUTCOMES.index(Outcome.APPROVE)
DECLINED: Final = OUTCOMES.index(Outcome.DECLINE)
UNJUDGED: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of each purchase by now: of most of them, nothing."""

    is_fraud: Flags
    is_genuine: Flags
    is_decided: Flags
    """An analyst is sure of it. Chargebacks name frauds alone, so they tell no false alarm."""
    eur_cents: Integers
    is_paid: Flags
    """Its payment was approved: one that was refused moves no money."""

    @property
    def is_labelled(self) -> Flags:
        """Whether anybody is sure of it."""
        return self.is_fraud | self.is_genuine

    def among(self, chosen: Flags) -> Known:
        """The same of some purchases alone."""
        return Known(**{one.name: getattr(self, one.name)[chosen] for one in fields(self)})

    def eur_cents_of(self, chosen: Flags) -> int:
        """The money that moved in these purchases."""
        return int(self.eur_cents[chosen & self.is_paid].sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What is known of the purchases that somebody marked."""

    hits: int
    known_frauds: int
    known_genuine: int
    decided: int
    decided_frauds: int
    precision_of_decided: float
    """Frauds among those that analysts decided: what ``docs/reports.md`` calls precision."""
    precision_of_labelled: float
    """Frauds among those with any label: too good where the bank names frauds alone."""
    recall: float
    """Of all known frauds, those that were marked."""
    fraud_eur_cents: int | None
    """Of known frauds; None where none of these purchases has a label."""


def worth(known: Known, is_hit: Flags) -> Worth:
    """Hold one mark a purchase against what is known."""
    frauds, genuine = is_hit & known.is_fraud, is_hit & known.is_genuine
    decided = is_hit & known.is_decided
    is_told = bool((frauds | genuine).any())
    return Worth(
        hits=int(is_hit.sum()),
        known_frauds=int(frauds.sum()),
        known_genuine=int(genuine.sum()),
        decided=int(decided.sum()),
        decided_frauds=int((decided & known.is_fraud).sum()),
        precision_of_decided=ratio((decided & known.is_fraud).sum(), decided.sum()),
        precision_of_labelled=ratio(frauds.sum(), (frauds | genuine).sum()),
        recall=ratio(frauds.sum(), known.is_fraud.sum()),
        fraud_eur_cents=known.eur_cents_of(frauds) if is_told else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Of payments that went through; everything is None where none of them has a label."""

    caught_eur_cents: int | None = None
    """Known fraud that was not approved."""
    declined_eur_cents: int | None = None
    """Of that, what was declined and not only looked at."""
    missed_eur_cents: int | None = None
    """Known fraud that was approved."""
    wrongly_blocked_eur_cents: int | None = None
    """Known to be genuine, and declined."""
    value_recall_ratio: float = float("nan")
    """Of all known fraud money, what was caught."""


def money(known: Known, outcome: Places) -> Money:
    """What a policy's outcomes would have kept, lost and wrongly refused."""
    if not (known.is_labelled & known.is_paid).any():
        return Money()
    is_alert, is_declined = outcome > APPROVED, outcome == DECLINED
    caught = known.eur_cents_of(known.is_fraud & is_alert)
    missed = known.eur_cents_of(known.is_fraud & (outcome == APPROVED))
    return Money(
        caught_eur_cents=caught,
        declined_eur_cents=known.eur_cents_of(known.is_fraud & is_declined),
        missed_eur_cents=missed,
        wrongly_blocked_eur_cents=known.eur_cents_of(known.is_genuine & is_declined),
        value_recall_ratio=ratio(caught, caught + missed),
    )
