"""Memory twin of the port of reconciliation; see ``application.reconcile``."""

from __future__ import annotations

from collections.abc import Iterator

from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.application.reconcile import Wanted
from fraudwatch.domain.messages.verdict import Verdict


class MemoryChosenVerdicts:
    """``StoredVerdicts`` over the rows of a memory store."""

    def __init__(self, store: MemoryVerdictStore) -> None:
        self._store = store

    def chosen(self, wanted: Wanted) -> Iterator[Verdict]:
        if not self._store.is_reachable:
            raise StoreUnavailable("this memory store was made unavailable")
        for verdict in self._store.verdicts.values():
            position = verdict.source_partition, verdict.source_offset
            if wanted(verdict.transaction_id, *position):
                yield verdict
