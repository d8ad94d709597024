"""Sentence of a case about the money of its purchase that was given back; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fraudwatch.domain.instants import day_of
from fraudwatch.domain.messages.refund import Refund, RefundReason
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.money import amount_text

_REASON_WORDS: Final = {
    RefundReason.REFUND: "refund",
    RefundReason.REVERSAL: "reversal",
    RefundReason.PARTIAL_CAPTURE: "partial capture",
}


def refund_sentence(verdict: Verdict, refunds: Sequence[Refund]) -> str | None:
    """Say how much of a purchase was given back and when; None if nothing was.

    The refunds come latest first: ``Refunded 10.00 EUR of 25.90 EUR on 2026-01-16 (refund).``
    """
    if not refunds:
        return None
    total = f"Refunded {_sum_text(verdict, refunds)}"
    if len(refunds) == 1:
        return f"{total} on {_when_and_why(refunds[0])}."
    parts = (
        f"{amount_text(one.amount_minor, one.currency)} on {_when_and_why(one)}" for one in refunds
    )
    return f"{total} in {len(refunds)} parts: {'; '.join(parts)}."


def _sum_text(verdict: Verdict, refunds: Sequence[Refund]) -> str:
    if all(one.currency == verdict.currency for one in refunds):
        given_back, currency = sum(one.amount_minor for one in refunds), verdict.currency
        amount = verdict.amount_minor
    else:  # a report in another currency than the purchase's, which no reader of the log refuses
        given_back, currency = sum(one.amount_eur_cents for one in refunds), "EUR"
        amount = verdict.amount_eur_cents
    return f"{amount_text(given_back, currency)} of {amount_text(amount, currency)}"


def _when_and_why(refund: Refund) -> str:
    return f"{day_of(refund.refunded_at_ms)} ({_REASON_WORDS[refund.reason]})"
