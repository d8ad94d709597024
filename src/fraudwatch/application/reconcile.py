"""Port of reconciliation: stored verdicts of the system of record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol

from fraudwatch.domain.messages.verdict import Verdict

# default_time_to_live of verdict_by_transaction, in cassandra/migrations.
STORED_DAYS: Final = 90

Wanted = Callable[[str, int, int], bool]
"""Predicate on a stored verdict: transaction id, source partition, source offset."""


class StoredVerdicts(Protocol):
    """Scan of every stored verdict."""

    def chosen(self, wanted: Wanted) -> Iterator[Verdict]:
        """Yield the verdicts that ``wanted`` selects, in no order.

        Raises:
            StoreUnavailable: not all of them can be read.
        """
