"""In which order a case lists things: every engine gives the same, down to ties."""

from __future__ import annotations

from collections.abc import Iterable

from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.transaction import Transaction


def newest_first(purchases: Iterable[Transaction]) -> list[Transaction]:
    """Latest event on top, ties by transaction id."""
    return sorted(purchases, key=lambda one: (-one.event_at_ms, one.transaction_id))


def latest_first(labels: Iterable[Label]) -> list[Label]:
    """What became known last on top, ties by transaction, source and person."""
    return sorted(
        labels, key=lambda one: (-one.known_at_ms, one.transaction_id, one.source, one.by)
    )
