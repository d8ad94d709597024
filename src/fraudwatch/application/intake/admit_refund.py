"""Admit a reported refund: validate it, tokenise its customer, convert it to euro."""

from __future__ import annotations

from fraudwatch.application.intake.admit import FUTURE_TOLERANCE_MS, CustomerReference, Edge
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Problem, problems
from fraudwatch.domain.messages.purchase import transaction_id_of
from fraudwatch.domain.messages.refund import REFUND_SCHEMA, Refund, ReportedRefund
from fraudwatch.domain.messages.transaction import Kind


def admit_refund(edge: Edge, reported: ReportedRefund, *, now_ms: int) -> Refund:
    """Return the refund of a report.

    The purchase is not looked up: the detector knows whether its time is still in a window. The
    rate is that of the purchase's day, so that a whole refund takes back the whole amount.

    Raises:
        Refused: a field breaks its bounds, the currency has no known decimals or no rate, or a time
            is in the future or before the purchase.
    """
    if broken := problems(reported):
        raise Refused(Code.OUT_OF_BOUNDS, broken)
    if reported.refunded_at_ms > now_ms + FUTURE_TOLERANCE_MS:
        raise Refused(Code.FUTURE_EVENT, [Problem("refunded_at_ms", "is in the future")])
    if reported.refunded_at_ms < reported.purchased_at_ms:
        before = Problem("refunded_at_ms", "is before the purchase")
        raise Refused(Code.OUT_OF_BOUNDS, [before])
    euro = edge.in_euro(reported.amount_minor, reported.currency, reported.purchased_at_ms)
    return Refund(
        schema=REFUND_SCHEMA,
        kind=Kind.REFUND,
        refund_id=transaction_id_of(reported.source, reported.id),
        transaction_id=transaction_id_of(reported.source, reported.purchase_id),
        purchased_at_ms=reported.purchased_at_ms,
        refunded_at_ms=reported.refunded_at_ms,
        customer_token=edge.customer_token(
            CustomerReference(source=reported.source, customer_id=reported.customer_id)
        ),
        amount_minor=reported.amount_minor,
        currency=reported.currency,
        amount_eur_cents=euro.eur_cents,
        rate_on=euro.rate_on,
        reason=reported.reason,
    )
