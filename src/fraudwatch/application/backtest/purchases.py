"""Purchases of a backtest as columns: about seventy bytes each, so that millions fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.arrays import Bools, Float64s, Int64s, UInt64s
from fraudwatch.domain.evaluation.label_coverage import (
    APPROVED,
    DECLINED,
    UNSCORED,
    LabelMask,
    OutcomeCodes,
)
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores
from fraudwatch.domain.time_units import DAY_MS

Bits = npt.NDArray[np.int64]

# Feature vector that a purchase was scored on ...
SERVED_VECTOR: Final = "served_vector"
NO_VECTOR_RECOMPUTED: Final = "recomputed_because_no_vector"
OTHER_FEATURES_RECOMPUTED: Final = "recomputed_because_other_features"
# ... and why it could not be scored.
NO_VECTOR: Final = "no_vector"
OTHER_FEATURES: Final = "other_features"
CALIBRATION_GONE: Final = "calibration_gone"
SCORED_BY: Final = (SERVED_VECTOR, NO_VECTOR_RECOMPUTED, OTHER_FEATURES_RECOMPUTED)
NOT_SCORED: Final = (NO_VECTOR, OTHER_FEATURES, CALIBRATION_GONE)
VECTOR_KINDS: Final = (*SCORED_BY, *NOT_SCORED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyResults:
    """Results of one policy for each purchase."""

    outcome: OutcomeCodes
    """Position in ``OUTCOMES``; ``UNSCORED`` where the policy has no result."""
    score: Float64s
    rules: Bits
    """One bit for each rule that hit, in the order of ``Purchases.rule_names``."""

    @property
    def is_scored(self) -> Bools:
        """Return whether the policy scored the purchase."""
        return np.not_equal(self.outcome, UNSCORED)

    @property
    def is_alert(self) -> Bools:
        """Return whether the outcome is an alert."""
        return np.greater(self.outcome, APPROVED)

    def is_hit_by(self, place: int) -> Bools:
        """Return whether the rule at this position hit."""
        hits: Bools = (self.rules >> place) & 1 == 1
        return hits


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchases:
    """All purchases of the range, whether or not they could be scored."""

    transaction: UInt64s
    card: UInt64s
    event_at_ms: Int64s
    known: LabelMask
    vector_kind: OutcomeCodes
    """Position in ``VECTOR_KINDS``."""
    has_anomaly: Bools
    """Whether an isolation forest scored it when it was live."""
    has_fraud: Bools
    """Whether a classifier scored it when it was live."""
    candidate: PolicyResults
    live: PolicyResults
    rule_names: tuple[str, ...]

    @property
    def day(self) -> Int64s:
        """Days since 1970, UTC."""
        return self.event_at_ms // DAY_MS

    @property
    def has_truth(self) -> Bools:
        """Mask of purchases that are fraud or genuine: their label, else that nobody complained.

        Of what the live policy declined or the bank did not approve nobody can complain; see
        :mod:`fraudwatch.domain.training.label_truth`.
        """
        found: Bools = self.known.is_labelled | (
            self.known.is_paid & (self.live.outcome != DECLINED)
        )
        return found

    def ranked(self, is_scored: Bools) -> LabelledScores:
        """Return some purchases for ranking metrics; without a label counts as no fraud."""
        return LabelledScores(
            transaction=self.transaction[is_scored],
            card=self.card[is_scored],
            event_at_ms=self.event_at_ms[is_scored],
            eur_cents=self.known.eur_cents[is_scored].astype(np.float64),
            is_fraud=self.known.is_fraud[is_scored],
        )
