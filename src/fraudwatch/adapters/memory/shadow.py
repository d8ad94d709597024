"""Memory twin of the comparison tables; see :mod:`fraudwatch.application.shadow.comparing`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.application.shadow.comparing import (
    CandidateOutcome,
    ShadowProgress,
    examples_of,
    outcome_of,
)
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.shadow import (
    Compared,
    Comparison,
    ShadowCounted,
    ShadowCounts,
    ShadowExample,
    ShadowKey,
    ShadowPosition,
)
from fraudwatch.topics import TRANSACTION_PARTITIONS

_Written = tuple[int, ShadowCounts]
_Place = tuple[str, int, Outcome, Outcome, int]


class MemoryShadowStore:
    """``ShadowStore`` and ``ShadowReader`` in dictionaries."""

    def __init__(self) -> None:
        self._comparisons: dict[str, Comparison] = {}
        self._positions: dict[tuple[str, int], ShadowPosition] = {}
        self._rows: dict[tuple[str, int], dict[ShadowKey, _Written]] = {}
        self._examples: dict[_Place, ShadowExample] = {}
        self._outcomes: dict[tuple[str, str], CandidateOutcome | None] = {}
        self.is_reachable = True

    def begin(self, comparison: Comparison) -> None:
        self._check_reachable()
        self._comparisons[comparison.comparison_id] = comparison

    def load(self, comparison_id: str, source_partition: int) -> ShadowCounted:
        self._check_reachable()
        key = comparison_id, source_partition
        rows = {name: counts for name, (_, counts) in self._rows.get(key, {}).items()}
        position = self._positions.get(key, ShadowPosition())
        return ShadowCounted(comparison_id, source_partition, position, rows)

    def add(self, comparison_id: str, compared: Sequence[Compared]) -> None:
        self._check_reachable()
        for one in compared:
            self._outcomes[comparison_id, one.live.transaction_id] = outcome_of(one)
        for example in examples_of(compared):
            pair = example.pair
            key = (
                comparison_id,
                example.source_partition,
                pair.live_outcome,
                pair.candidate_outcome,
                example.place,
            )
            known = self._examples.get(key)
            if known is None or known.source_offset <= example.source_offset:
                self._examples[key] = example

    def save(self, counted: ShadowCounted) -> None:
        self._check_reachable()
        key = counted.comparison_id, counted.source_partition
        self._positions[key] = max(counted.position, self._positions.get(key, ShadowPosition()))
        rows = self._rows.setdefault(key, {})
        for name in counted.changed:
            new = counted.position.source_offset, counted.rows[name]
            rows[name] = max(rows.get(name, new), new)

    def comparisons(self, limit: int) -> Sequence[Comparison]:
        self._check_reachable()
        found = self._comparisons.values()
        return sorted(found, key=lambda one: (-one.started_at_ms, one.comparison_id))[:limit]

    def progress(self, comparison: Comparison) -> ShadowProgress:
        parts = range(TRANSACTION_PARTITIONS)
        return ShadowProgress(
            comparison, tuple(self.load(comparison.comparison_id, part) for part in parts)
        )

    def examples(self, comparison_id: str) -> Sequence[ShadowExample]:
        self._check_reachable()
        found = [one for key, one in self._examples.items() if key[0] == comparison_id]
        return sorted(found, key=lambda one: (-one.event_at_ms, one.transaction_id))

    def outcomes(
        self, comparison_id: str, transaction_ids: Collection[str]
    ) -> Mapping[str, CandidateOutcome | None]:
        self._check_reachable()
        return {
            name: self._outcomes[comparison_id, name]
            for name in transaction_ids
            if (comparison_id, name) in self._outcomes
        }

    def _check_reachable(self) -> None:
        if not self.is_reachable:
            raise StoreUnavailable("this memory store was made unavailable")
