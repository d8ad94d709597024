"""Sort order of purchases and labels in a case: the same in every store, down to ties."""

from __future__ import annotations

from collections.abc import Iterable

from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.transaction import Transaction


def newest_first(purchases: Iterable[Transaction]) -> list[Transaction]:
    """Sort purchases by event time, latest first, ties by transaction id."""
    return sorted(purchases, key=lambda one: (-one.event_at_ms, one.transaction_id))


def latest_first(labels: Iterable[Label]) -> list[Label]:
    """Sort labels by time of knowledge, latest first, ties by transaction, source and login."""
    return sorted(
        labels, key=lambda one: (-one.known_at_ms, one.transaction_id, one.source, one.by)
    )
