"""Sentence of a case about its refunds."""

from __future__ import annotations

from fraudwatch.domain.messages.refund import RefundReason
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.samples import NOON_MS, a_refund, a_verdict
from streamlit_app.case.refund_text import refund_sentence

VERDICT = a_verdict(amount_minor=2_590, currency="EUR", amount_eur_cents=2_590)


def test_a_purchase_without_a_refund_has_no_sentence() -> None:
    assert refund_sentence(VERDICT, []) is None


def test_one_refund_is_a_sum_of_the_amount_on_its_day() -> None:
    refund = a_refund(amount_minor=1_000, amount_eur_cents=1_000)
    assert refund_sentence(VERDICT, [refund]) == (
        "Refunded 10.00 EUR of 25.90 EUR on 2026-01-16 (refund)."
    )


def test_several_refunds_are_summed_and_each_is_named() -> None:
    later = a_refund(
        amount_minor=500, refunded_at_ms=NOON_MS + 2 * DAY_MS, reason=RefundReason.PARTIAL_CAPTURE
    )
    assert refund_sentence(VERDICT, [later, a_refund(amount_minor=1_000)]) == (
        "Refunded 15.00 EUR of 25.90 EUR in 2 parts: "
        "5.00 EUR on 2026-01-17 (partial capture); 10.00 EUR on 2026-01-16 (refund)."
    )


def test_an_amount_has_the_decimals_of_its_currency() -> None:
    yen = a_verdict(amount_minor=4_000, currency="JPY", amount_eur_cents=2_500)
    refund = a_refund(
        amount_minor=4_000, currency="JPY", amount_eur_cents=2_500, reason=RefundReason.REVERSAL
    )
    assert refund_sentence(yen, [refund]) == (
        "Refunded 4,000 JPY of 4,000 JPY on 2026-01-16 (reversal)."
    )


def test_amounts_of_two_currencies_are_compared_in_euro() -> None:
    pounds = a_refund(amount_minor=800, currency="GBP", amount_eur_cents=950)
    assert refund_sentence(VERDICT, [pounds, a_refund(amount_minor=100, amount_eur_cents=100)]) == (
        "Refunded 10.50 EUR of 25.90 EUR in 2 parts: "
        "8.00 GBP on 2026-01-16 (refund); 1.00 EUR on 2026-01-16 (refund)."
    )
