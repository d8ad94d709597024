"""What a reconciliation of a day came to: counts, a few examples, and the sentence about it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fraudwatch.domain.reconciliation.comparison import Finding, Found

MOST_EXAMPLES: Final = 10


class Note(enum.StrEnum):
    """What is no fault and still never passed over in silence."""

    REPEATED = "repeated"
    """Byte-equal copies of a verdict: written again after a crash, as promised."""
    UNREADABLE = "unreadable"
    """Messages of the verdict topic that are no verdict."""
    VIEWS_UNKNOWN = "views_unknown"
    """The view that the verdict names is gone: of the vector only the fold's part was compared."""
    STORE_EXPIRED = "store_expired"
    """The store no longer keeps the day, so it was not asked."""
    ARCHIVE_INCOMPLETE = "not_recomputed_archive_incomplete"
    """The archive lacks messages of before, so nobody can fold what customers did."""
    OTHER_FEATURES = "not_recomputed_other_features"
    """Judged by another version of the features than today's."""
    POLICY_UNKNOWN = "not_recomputed_policy_unknown"
    MODEL_UNKNOWN = "not_recomputed_model_unknown"
    ENGINE_MISSING = "not_recomputed_engine_missing"
    """The model is there and the library that runs it is not."""
    VECTOR_UNKNOWN = "not_recomputed_vector_unknown"
    """Neither the view nor a served vector is there to judge by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """One day."""

    day: str
    messages: int
    """Of the transaction log, accepted or not."""
    purchases: int
    """Accepted ones: each of them was held against everything that was said of it."""
    counts: Mapping[Finding, int]
    examples: Mapping[Finding, list[Found]] = field(default_factory=dict)
    notes: Mapping[Note, int] = field(default_factory=dict)
    state_from: str = "nothing"
    """The day whose end of day it was computed from."""

    @property
    def different(self) -> int:
        """All findings together."""
        return sum(self.counts.values())

    def is_over(self, most_different: int) -> bool:
        """Whether more is wrong than may be."""
        return self.different > most_different

    def sentence(self, most_different: int) -> str:
        """What a person is told; the last line of a run that fails."""
        wrong = [f"{finding} {count}" for finding, count in self.counts.items() if count]
        skipped = [f"{note} {count}" for note, count in self.notes.items() if count]
        beside = f" ({', '.join(skipped)})" if skipped else ""
        if not wrong:
            return f"{self.day}: {self.purchases} purchases, stream and batch agree{beside}"
        shown = next(iter(self.examples.values()))[0] if self.examples else None
        such = f", such as {shown.transaction_id} in {shown.held_by}" if shown else ""
        bound = "more than" if self.is_over(most_different) else "within"
        return (
            f"{self.day}: stream and batch differ, findings {self.different} among "
            f"{self.purchases} purchases, {bound} the {most_different} allowed: "
            f"{', '.join(wrong)}{such}{beside}; core_reconciliation holds the examples"
        )
