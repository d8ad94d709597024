"""Sort order of the queue, and of purchases and labels in a case: the same down to ties."""

from __future__ import annotations

from collections.abc import Iterable

from fraudwatch.application.console.alerts import Alert
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.transaction import Transaction


def most_at_stake_first(alerts: Iterable[Alert]) -> list[Alert]:
    """Sort alerts of one risk level by score times amount, ties newest first, then by id.

    With a model this is the expected loss: its probability of fraud times the euro at stake.
    """
    return sorted(
        alerts,
        key=lambda one: (
            -one.score * one.amount_eur_cents,
            -one.decided_at_ms,
            one.transaction_id,
        ),
    )


def newest_first(purchases: Iterable[Transaction]) -> list[Transaction]:
    """Sort purchases by event time, latest first, ties by transaction id."""
    return sorted(purchases, key=lambda one: (-one.event_at_ms, one.transaction_id))


def latest_first(labels: Iterable[Label]) -> list[Label]:
    """Sort labels by time of knowledge, latest first, ties by transaction, source and login."""
    return sorted(
        labels, key=lambda one: (-one.known_at_ms, one.transaction_id, one.source, one.by)
    )
