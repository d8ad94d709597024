"""Sort order of the queue, and of what a case shows: the same down to ties."""

from __future__ import annotations

from collections.abc import Iterable

from fraudwatch.application.console.alerts import ALERT_RISKS, Alert
from fraudwatch.application.console.sla import is_overdue
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.refund import Refund
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Risk


def in_working_order(alerts: Iterable[Alert], now_ms: int) -> list[Alert]:
    """Sort open alerts by risk level, overdue ones of it first, then by score times amount.

    Within a level: a backlog of old MEDIUM alerts must not delay a CRITICAL one of this minute.
    With a model score times amount is the expected loss: its probability of fraud times the euro at
    stake. Ties come newest first, then by id.
    """
    return sorted(
        alerts,
        key=lambda one: (
            _RISK_ORDER[one.risk],
            not is_overdue(one, now_ms),
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


def latest_refund_first(refunds: Iterable[Refund]) -> list[Refund]:
    """Sort refunds by when the money was given back, latest first, ties by id."""
    return sorted(refunds, key=lambda one: (-one.refunded_at_ms, one.refund_id))


_RISK_ORDER = {risk: place for place, risk in enumerate((*ALERT_RISKS, Risk.LOW))}
