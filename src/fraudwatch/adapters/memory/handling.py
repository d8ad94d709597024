"""Memory twins of the handling of cases and of reviews."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from fraudwatch.application.console.handling import UNHANDLED, Handling
from fraudwatch.application.console.reviews import Review
from fraudwatch.application.ports import StoreUnavailable


class MemoryHandlings:
    """``HandlingStore`` in a dictionary."""

    def __init__(self) -> None:
        self._handlings: dict[str, Handling] = {}
        self._lock = threading.Lock()
        self.is_reachable = True

    def handlings(self) -> Mapping[str, Handling]:
        if not self.is_reachable:
            raise StoreUnavailable("these memory handlings were made unavailable")
        return dict(self._handlings)

    def change(self, transaction_id: str, before: Handling, after: Handling) -> bool:
        with self._lock:
            current = self.handlings().get(transaction_id, UNHANDLED)
            if (current.assigned_to, current.snoozed_until_ms) != (
                before.assigned_to,
                before.snoozed_until_ms,
            ):
                return False
            self._handlings.pop(transaction_id, None)
            if after != UNHANDLED:
                self._handlings[transaction_id] = after
            return True


class MemoryReviews:
    """``ReviewStore`` in dictionaries."""

    def __init__(self) -> None:
        self._open: dict[str, Review] = {}
        self._decided: dict[tuple[str, int], Review] = {}
        self._lock = threading.Lock()
        self.is_reachable = True

    def open_reviews(self) -> Mapping[str, Review]:
        self._check_reachable()
        return dict(self._open)

    def decided_reviews(self, transaction_id: str) -> list[Review]:
        self._check_reachable()
        found = [one for (name, _), one in self._decided.items() if name == transaction_id]
        return sorted(found, key=lambda one: -one.requested_at_ms)

    def file(self, review: Review) -> bool:
        self._check_reachable()
        with self._lock:
            return self._open.setdefault(review.transaction_id, review) is review

    def decide(self, decided: Review) -> Review:
        self._check_reachable()
        with self._lock:
            self._open.pop(decided.transaction_id, None)
            key = (decided.transaction_id, decided.requested_at_ms)
            return self._decided.setdefault(key, decided)

    def _check_reachable(self) -> None:
        if not self.is_reachable:
            raise StoreUnavailable("these memory reviews were made unavailable")
