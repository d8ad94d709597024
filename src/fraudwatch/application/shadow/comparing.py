"""Count compared purchases exactly once, despite replays and crashes, and store what differs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from fraudwatch.domain.messages.verdict import Outcome, Risk, Verdict
from fraudwatch.domain.shadow import (
    Compared,
    Comparison,
    NotCompared,
    ShadowCounted,
    ShadowExample,
    example_of,
)

# A partition is written in one atomic batch; a row is at most some 200 bytes.
MAX_CHANGED_ROWS: Final = 120


class CandidateOutcome(NamedTuple):
    """The candidate's outcome and risk level of one purchase."""

    outcome: Outcome
    risk: Risk


@dataclass(frozen=True, slots=True)
class ShadowProgress:
    """A comparison with its counts by partition."""

    comparison: Comparison
    counted: tuple[ShadowCounted, ...]

    def covers(self, verdict: Verdict) -> bool:
        """Whether this purchase is among those that were counted."""
        for part in self.counted:
            if part.source_partition == verdict.source_partition:
                first, last = part.position.first_source_offset, part.position.source_offset
                return 0 <= first <= verdict.source_offset <= last
        return False


class ShadowReader(Protocol):
    """Reads comparisons, for a page."""

    def comparisons(self, limit: int) -> Sequence[Comparison]:
        """Return the newest comparisons, newest first.

        Raises:
            StoreUnavailable: the store does not answer now.
        """

    def progress(self, comparison: Comparison) -> ShadowProgress:
        """Return the counts of a comparison; raises as :meth:`comparisons`."""

    def examples(self, comparison_id: str) -> Sequence[ShadowExample]:
        """Return its purchases whose outcome differs, newest first; raises as above."""

    def outcomes(
        self, comparison_id: str, transaction_ids: Collection[str]
    ) -> Mapping[str, CandidateOutcome | None]:
        """Return the candidate's outcome of purchases that are an alert of either side.

        A purchase that could not be compared has None; one that both approve is left out. Raises as
        above.
        """


class ShadowStore(Protocol):
    """Stores comparisons; for the shadow itself."""

    def begin(self, comparison: Comparison) -> None:
        """Store a comparison; storing it again changes nothing.

        Raises:
            StoreUnavailable: not stored, or the outcome is unknown.
        """

    def load(self, comparison_id: str, source_partition: int) -> ShadowCounted:
        """Load the last saved counts; empty when nothing was saved. Raises as :meth:`begin`."""

    def add(self, comparison_id: str, compared: Sequence[Compared]) -> None:
        """Store examples and the outcomes of alerts, idempotently; raises as :meth:`begin`."""

    def save(self, counted: ShadowCounted) -> None:
        """Write the changed rows and the position atomically; raises as :meth:`begin`.

        The state that has counted further wins, in any order of saves.
        """


class ShadowRow(NamedTuple):
    """A compared purchase with its positions on the topics."""

    compared: Compared
    verdict_offset: int
    vector_offset: int | None


class Comparing:
    """Counts the purchases of one comparison and partition.

    After an error :meth:`count` is called again with the same rows: those that are counted already
    are recognised.
    """

    def __init__(self, store: ShadowStore, counted: ShadowCounted) -> None:
        """Continue from the counts that were loaded."""
        self._store, self.counted = store, counted

    def count(self, rows: Sequence[ShadowRow]) -> int:
        """Count and save purchases in their order; return how many are new.

        Raises:
            StoreUnavailable: part of it may be saved; call again.
        """
        alerts = [row.compared for row in rows if is_stored(row.compared)]
        if alerts:
            self._store.add(self.counted.comparison_id, alerts)
        new = 0
        for compared, verdict_offset, vector_offset in rows:
            if len(self.counted.changed) >= MAX_CHANGED_ROWS:
                self.save()
            new += self.counted.add(
                compared, verdict_offset=verdict_offset, vector_offset=vector_offset
            )
        self.save()
        return new

    def save(self) -> None:
        """Save what is counted and not saved yet; raises as :meth:`count`."""
        if self.counted.changed:
            self._store.save(self.counted)
            self.counted.changed.clear()


def is_stored(compared: Compared) -> bool:
    """Whether the purchase is stored by its id: an alert of either side, or not compared."""
    live, candidate = compared
    if not isinstance(candidate, Verdict):
        return True
    return live.outcome is not Outcome.APPROVE or candidate.outcome is not Outcome.APPROVE


def outcome_of(compared: Compared) -> CandidateOutcome | None:
    """Return the candidate's outcome; None where it has none."""
    candidate = compared.candidate
    if isinstance(candidate, NotCompared):
        return None
    return CandidateOutcome(candidate.outcome, candidate.risk)


def examples_of(compared: Sequence[Compared]) -> list[ShadowExample]:
    """Return the examples among compared purchases."""
    return [example for one in compared if (example := example_of(one)) is not None]
