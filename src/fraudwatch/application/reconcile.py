"""What reconciling a day asks of the system of record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol

from fraudwatch.domain.messages.verdict import Verdict

# default_time_to_live of verdict_by_transaction, in cassandra/migrations.
STORED_DAYS: Final = 90

Wanted = Callable[[str, int, int], bool]
"""Told of each stored verdict: its transaction, and where that stands (partition, offset)."""


class StoredVerdicts(Protocol):
    """Every verdict that stands, looked through once."""

    def chosen(self, wanted: Wanted) -> Iterator[Verdict]:
        """Those that are wanted, in no order.

        Raises:
            StoreUnavailable: not all of them can be read.
        """
