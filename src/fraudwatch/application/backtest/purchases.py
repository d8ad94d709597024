"""Purchases judged again, column by column: some seventy bytes each, so that millions fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.arrays import Bools, Float64s, Int64s, UInt64s
from fraudwatch.domain.evaluation.label_coverage import APPROVED, UNSCORED, LabelMask, OutcomeCodes
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores
from fraudwatch.domain.time_units import DAY_MS

Bits = npt.NDArray[np.int64]

# What a purchase was judged by ...
SERVED_VECTOR: Final = "served_vector"
NO_VECTOR_RECOMPUTED: Final = "recomputed_because_no_vector"
OTHER_FEATURES_RECOMPUTED: Final = "recomputed_because_other_features"
# ... and why it could not be judged.
NO_VECTOR: Final = "no_vector"
OTHER_FEATURES: Final = "other_features"
JUDGED_BY: Final = (SERVED_VECTOR, NO_VECTOR_RECOMPUTED, OTHER_FEATURES_RECOMPUTED)
NOT_JUDGED: Final = (NO_VECTOR, OTHER_FEATURES)
VECTOR_KINDS: Final = (*JUDGED_BY, *NOT_JUDGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgements:
    """What one policy said of each purchase."""

    outcome: OutcomeCodes
    """Place in ``OUTCOMES``; ``UNJUDGED`` where it said nothing."""
    score: Float64s
    rules: Bits
    """One bit a rule that hit, in the order of ``Purchases.rule_names``."""

    @property
    def is_judged(self) -> Bools:
        """Whether it said anything."""
        return np.not_equal(self.outcome, UNSCORED)

    @property
    def is_alert(self) -> Bools:
        """Whether it did not approve."""
        return np.greater(self.outcome, APPROVED)

    def is_hit_by(self, place: int) -> Bools:
        """Whether the rule at this place hit."""
        hits: Bools = (self.rules >> place) & 1 == 1
        return hits


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchases:
    """All purchases of the range; none is left out, whether or not it could be judged."""

    transaction: UInt64s
    card: UInt64s
    event_at_ms: Int64s
    known: LabelMask
    vector_kind: OutcomeCodes
    """Place in ``VECTOR_KINDS``."""
    has_anomaly: Bools
    """Whether an isolation forest had spoken of it when it was live."""
    has_fraud: Bools
    """Whether a supervised model had."""
    candidate: Judgements
    live: Judgements
    rule_names: tuple[str, ...]

    @property
    def day(self) -> Int64s:
        """Days since 1970, UTC."""
        return self.event_at_ms // DAY_MS

    def ranked(self, judged: Bools) -> LabelledScores:
        """Those that were judged, as rankings want them: whoever is not known is no fraud."""
        return LabelledScores(
            transaction=self.transaction[judged],
            card=self.card[judged],
            event_at_ms=self.event_at_ms[judged],
            eur_cents=self.known.eur_cents[judged].astype(np.float64),
            is_fraud=self.known.is_fraud[judged],
        )
