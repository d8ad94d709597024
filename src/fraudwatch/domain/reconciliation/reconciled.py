"""Hold the result of a day's reconciliation: counts, examples, and a summary sentence."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fraudwatch.domain.reconciliation.records import Finding, Mismatch

MAX_EXAMPLES: Final = 10


class Note(enum.StrEnum):
    """Condition that is no finding but is always reported."""

    NOTHING_PRODUCED = "nothing_produced"
    """The log has no message of the day, so there was nothing to compare; its count is 1."""
    REPEATED = "repeated"
    """Byte-equal copies of a verdict: written again after a crash, at least once."""
    UNREADABLE = "unreadable"
    """Messages of the verdict topic that are not a verdict."""
    VIEWS_UNKNOWN = "views_unknown"
    """The view that the verdict names is missing: only the fold's features are compared."""
    STORE_EXPIRED = "store_expired"
    """The day has expired in the store, so the store was not compared."""
    ARCHIVE_INCOMPLETE = "not_recomputed_archive_incomplete"
    """The archive lacks earlier messages, so customers' states cannot be folded."""
    OTHER_FEATURES = "not_recomputed_other_features"
    """Scored with another version of the features than today's."""
    POLICY_UNKNOWN = "not_recomputed_policy_unknown"
    MODEL_UNKNOWN = "not_recomputed_model_unknown"
    ENGINE_MISSING = "not_recomputed_engine_missing"
    """The model exists but its library is not installed."""
    VECTOR_UNKNOWN = "not_recomputed_vector_unknown"
    """Neither the view nor a served vector exists to score with."""


NOT_RECOMPUTED: Final = frozenset(
    {
        Note.ARCHIVE_INCOMPLETE, Note.OTHER_FEATURES, Note.POLICY_UNKNOWN,
        Note.MODEL_UNKNOWN, Note.ENGINE_MISSING, Note.VECTOR_UNKNOWN,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """Result of one day's reconciliation."""

    day: str
    messages: int
    """Messages of the transaction log, accepted or not."""
    purchases: int
    """Accepted ones: each was compared with all its records."""
    counts: Mapping[Finding, int]
    examples: Mapping[Finding, list[Mismatch]] = field(default_factory=dict)
    notes: Mapping[Note, int] = field(default_factory=dict)
    state_from: str = "nothing"
    """The day whose final state the computation started from."""

    @property
    def different(self) -> int:
        """Number of all findings."""
        return sum(self.counts.values())

    def is_over(self, max_different: int) -> bool:
        """Check whether there are more findings than allowed."""
        return self.different > max_different

    def sentence(self, max_different: int) -> str:
        """Summarise the day in one sentence; the last line of a run that fails."""
        wrong = [f"{finding} {count}" for finding, count in self.counts.items() if count]
        skipped = [
            f"{note} {count}"
            for note, count in self.notes.items()
            if count and note is not Note.NOTHING_PRODUCED
        ]
        beside = f" ({', '.join(skipped)})" if skipped else ""
        if not wrong:
            return f"{self.day}: {self._without_findings()}{beside}"
        shown = next(iter(self.examples.values()))[0] if self.examples else None
        such = f", such as {shown.transaction_id} in {shown.source}" if shown else ""
        bound = "more than" if self.is_over(max_different) else "within"
        return (
            f"{self.day}: stream and batch differ, findings {self.different} among "
            f"{self.purchases} purchases, {bound} the {max_different} allowed: "
            f"{', '.join(wrong)}{such}{beside}; examples in core_reconciliation"
        )

    def _without_findings(self) -> str:
        """Claim agreement only where something was recomputed."""
        if not self.messages:
            return (
                "nothing was produced on this day, so nothing was compared; if purchases were "
                "sent, ./fraudwatch status shows whether ingest works"
            )
        if not self.purchases:
            return (
                f"none of the {self.messages} messages is a purchase that was scored on this day, "
                "so nothing was compared"
            )
        if sum(self.notes.get(note, 0) for note in NOT_RECOMPUTED) >= self.purchases:
            return (
                f"{self.purchases} purchases, none of them recomputed: only the records of their "
                "verdicts were compared, and those agree"
            )
        return f"{self.purchases} purchases, stream and batch agree"
