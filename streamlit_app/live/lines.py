"""One line of the live list as texts; pure: the current time is an argument."""

from __future__ import annotations

from dataclasses import dataclass

from fraudwatch.domain.money import amount_text
from streamlit_app.live.filters import country_of
from streamlit_app.live.groups import Group
from streamlit_app.live.status import Status
from streamlit_app.view_models import (
    CHANNEL_WORDS,
    OUTCOME_WORDS,
    PAYMENT_WORDS,
    RISK_WORDS,
    UNKNOWN,
    clock_time,
    sentences,
    short_token,
    strongest_reason,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Line of the list, in the order of its columns; a narrow window shows the first ones."""

    risk: str
    amount: str
    reason: str
    status: str
    age_seconds: int
    decided_at: str
    merchant: str
    country: str
    customer: str
    outcome: str
    card: str
    channel: str
    payment: str
    score: float
    transaction: str
    reasons: str


def line_of(group: Group, now_ms: int, status: Status, login: str) -> Line:
    """Describe a group at this moment; single values are those of its newest alert."""
    newest, alerts = group.newest, group.alerts
    return Line(
        risk=RISK_WORDS[group.risk],
        amount=_amount(group),
        reason=strongest_reason(group.reasons),
        status=status.words(login, alerts, now_ms),
        age_seconds=max(0, now_ms - newest.decided_at_ms) // 1_000,
        decided_at=clock_time(newest.decided_at_ms, now_ms),
        merchant=_one_or_count([alert.merchant_id for alert in alerts], "merchants"),
        country=_one_or_count([country_of(alert) for alert in alerts], "countries"),
        customer=short_token(newest.customer_token),
        outcome=OUTCOME_WORDS[newest.outcome],
        card=f"•••• {newest.card_last4}" if newest.card_last4 else UNKNOWN,
        channel=CHANNEL_WORDS[newest.channel],
        payment=PAYMENT_WORDS[newest.payment_status],
        score=max(alert.score for alert in alerts),
        transaction=newest.transaction_id,
        reasons=sentences(group.reasons),
    )


def case_of(group: Group, status: Status, login: str) -> str:
    """Return the case that a line opens: its newest open one, else its newest."""
    still_open = (alert for alert in group.alerts if status.is_open_for(login, alert))
    return next(still_open, group.newest).transaction_id


def _amount(group: Group) -> str:
    newest = group.newest
    if len(group.alerts) == 1:
        return amount_text(newest.amount_minor, newest.currency)
    return f"{len(group.alerts)} alerts, {amount_text(group.amount_eur_cents, 'EUR')}"


def _one_or_count(names: list[str], what: str) -> str:
    different = set(names)
    return names[0] if len(different) == 1 else f"{len(different)} {what}"
