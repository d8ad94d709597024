"""Alerts: verdicts that did not approve, as the alert list shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import attrgetter

from fraudwatch.domain.messages.purchase import Channel, PaymentStatus
from fraudwatch.domain.messages.verdict import Outcome, Reason, Risk, Verdict

# Highest risk first, as the filter shows them. LOW is no alert: a policy approves it.
ALERT_RISKS = (Risk.CRITICAL, Risk.HIGH, Risk.MEDIUM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Row of the alert list; every field is the one of :class:`Verdict`.

    A transaction that is scored again gets a second alert; a list shows the later one.
    """

    transaction_id: str
    customer_token: str
    outcome: Outcome
    risk: Risk
    score: float
    reasons: tuple[Reason, ...]
    decided_at_ms: int
    event_at_ms: int
    amount_minor: int
    currency: str
    amount_eur_cents: int
    payment_status: PaymentStatus
    channel: Channel
    merchant_id: str
    category: str | None
    merchant_country: str | None
    card_last4: str | None


ALERT_FIELDS = tuple(item.name for item in fields(Alert))
_values_of = attrgetter(*ALERT_FIELDS)


def is_alert(verdict: Verdict) -> bool:
    """Return whether the verdict is an alert: anything but approve."""
    return verdict.outcome is not Outcome.APPROVE


def alert_of(verdict: Verdict) -> Alert:
    """Return the fields of a verdict that the alert list shows."""
    return Alert(**dict(zip(ALERT_FIELDS, _values_of(verdict), strict=True)))


def in_order(alerts: Iterable[Alert]) -> list[Alert]:
    """Sort alerts by decision time, latest first, ties by transaction id."""
    return sorted(alerts, key=lambda alert: (-alert.decided_at_ms, alert.transaction_id))


def newest_first(alerts: list[Alert]) -> list[Alert]:
    """Sort alerts latest first and keep the latest of each transaction."""
    latest: dict[str, Alert] = {}
    for alert in in_order(alerts):
        latest.setdefault(alert.transaction_id, alert)
    return list(latest.values())
