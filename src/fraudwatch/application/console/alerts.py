"""An alert: a verdict that did not approve, as an analyst's list shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import attrgetter

from fraudwatch.domain.messages.purchase import Channel, PaymentStatus
from fraudwatch.domain.messages.verdict import Outcome, Reason, Risk, Verdict

# Gravest first, as a filter offers them. LOW is no alert: a policy approves it.
ALERT_RISKS = (Risk.CRITICAL, Risk.HIGH, Risk.MEDIUM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What a list of alerts needs to know; every field means what it means in :class:`Verdict`.

    A transaction that is judged again gets a second alert; a list shows the later one.
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
    """Does an analyst have to see it? Everything that was not simply approved."""
    return verdict.outcome is not Outcome.APPROVE


def alert_of(verdict: Verdict) -> Alert:
    """The part of a verdict that a list shows."""
    return Alert(**dict(zip(ALERT_FIELDS, _values_of(verdict), strict=True)))


def in_order(alerts: Iterable[Alert]) -> list[Alert]:
    """Latest decision on top, ties by transaction id."""
    return sorted(alerts, key=lambda alert: (-alert.decided_at_ms, alert.transaction_id))


def newest_first(alerts: list[Alert]) -> list[Alert]:
    """The same with one alert a transaction: the latest."""
    latest: dict[str, Alert] = {}
    for alert in in_order(alerts):
        latest.setdefault(alert.transaction_id, alert)
    return list(latest.values())
