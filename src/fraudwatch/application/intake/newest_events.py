"""Keep the newest event time of each source's accepted purchases, however they were sent.

A purchase that is a month older than its customer's last is too late. A replay counts such rows
before it sends anything, and so needs what POST and feeds have brought.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Final

from fraudwatch.domain.messages.purchase import Purchase

# A caller may name any source; beyond these the newest of further ones are not kept.
_MOST_SOURCES: Final = 1_000


class NewestEvents:
    """The newest event times by source, for any thread."""

    def __init__(self, known: Mapping[str, int]) -> None:
        """Continue from what was saved."""
        self._newest_ms = dict(known)
        self._lock = threading.Lock()

    def add(self, accepted: Iterable[Purchase]) -> None:
        """Add purchases that were accepted."""
        with self._lock:
            for one in accepted:
                known_ms = self._newest_ms.get(one.source)
                if known_ms is None and len(self._newest_ms) >= _MOST_SOURCES:
                    continue
                self._newest_ms[one.source] = max(one.event_at_ms, known_ms or one.event_at_ms)

    def by_source(self) -> dict[str, int]:
        """Return a copy."""
        with self._lock:
            return dict(self._newest_ms)
