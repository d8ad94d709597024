"""Define the staff alert: what a message to staff needs of a HIGH or CRITICAL verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fraudwatch.domain.messages.verdict import Outcome, Risk, Verdict

STAFF_RISKS: Final = frozenset({Risk.HIGH, Risk.CRITICAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffAlert:
    """One verdict for staff: no card digits, no merchant, no sentence of a rule.

    A chat service is another company's, so what is not needed to open the case is left out.
    """

    verdict_id: str
    transaction_id: str
    customer_token: str
    risk: Risk
    outcome: Outcome
    event_at_ms: int
    amount_minor: int
    currency: str
    amount_eur_cents: int
    rules: tuple[str, ...]
    """Names of the rules and models that are its reasons, most points first."""


def staff_alert_of(verdict: Verdict) -> StaffAlert | None:
    """Return the staff alert of a verdict, or None below HIGH."""
    if verdict.risk not in STAFF_RISKS:
        return None
    return StaffAlert(
        verdict_id=verdict.verdict_id,
        transaction_id=verdict.transaction_id,
        customer_token=verdict.customer_token,
        risk=verdict.risk,
        outcome=verdict.outcome,
        event_at_ms=verdict.event_at_ms,
        amount_minor=verdict.amount_minor,
        currency=verdict.currency,
        amount_eur_cents=verdict.amount_eur_cents,
        rules=tuple(reason.rule for reason in verdict.reasons),
    )
