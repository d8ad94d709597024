"""Example messages: sensible values everywhere, changed by keyword."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fraudwatch.domain.messages.purchase import Channel, PaymentStatus, Purchase
from fraudwatch.domain.messages.refund import (
    REFUND_SCHEMA,
    Refund,
    RefundReason,
    ReportedRefund,
)
from fraudwatch.domain.messages.transaction import TRANSACTION_SCHEMA, Kind, Transaction
from fraudwatch.domain.messages.verdict import (
    VERDICT_SCHEMA,
    Mode,
    Outcome,
    Reason,
    Risk,
    Verdict,
    verdict_id_of,
)
from fraudwatch.domain.notifications.staff_alert import StaffAlert
from fraudwatch.domain.time_units import DAY_MS

NOON_MS = 1_768_478_400_000  # 2026-01-15T12:00:00Z


def a_purchase(**changes: Any) -> Purchase:
    """Build a card-present purchase in Berlin, with the holder's personal data."""
    defaults = Purchase(
        source="shop",
        id="1",
        event_at_ms=NOON_MS,
        customer_id="customer-1",
        amount_minor=2_590,
        currency="EUR",
        payment_status=PaymentStatus.APPROVED,
        channel=Channel.PRESENT,
        merchant_id="merchant-1",
        category="groceries",
        item_count=3,
        card_number="4111111111111111",
        device_id="terminal-7",
        ip="192.0.2.17",
        name="Erika Mustermann",
        email="erika@example.org",
        phone="+447700900123",
        merchant_country="DE",
        billing_country="DE",
        purchase_latitude=52.5163,
        purchase_longitude=13.3777,
    )
    return replace(defaults, **changes)


def a_transaction(**changes: Any) -> Transaction:
    """Build the transaction of the same purchase."""
    defaults = Transaction(
        schema=TRANSACTION_SCHEMA,
        kind=Kind.TRANSACTION,
        transaction_id="shop:1",
        event_at_ms=NOON_MS,
        customer_token=a_token("a"),
        amount_minor=2_590,
        currency="EUR",
        amount_eur_cents=2_590,
        rate_on="2026-01-15",
        payment_status=PaymentStatus.APPROVED,
        channel=Channel.PRESENT,
        merchant_id="merchant-1",
        category="groceries",
        item_count=3,
        card_token=a_token("b"),
        card_bin="411111",
        card_last4="1111",
        merchant_country="DE",
        purchase_latitude=52.52,
        purchase_longitude=13.38,
        sealed="c2VhbGVk",
    )
    return replace(defaults, **changes)


def a_verdict(**changes: Any) -> Verdict:
    """Build a verdict that sends a high-value purchase to review."""
    transaction_id = changes.get("transaction_id", "shop:1")
    defaults = Verdict(
        schema=VERDICT_SCHEMA,
        verdict_id=verdict_id_of(transaction_id),
        transaction_id=transaction_id,
        customer_token=a_token("a"),
        outcome=Outcome.REVIEW,
        risk=Risk.HIGH,
        score=0.5,
        mode=Mode.RULES_ONLY,
        reasons=(Reason("high_amount", 50, "Amount 1,200.00 EUR; threshold 1,000.00 EUR."),),
        policy_version="test",
        features_version="0123456789abcdef",
        source_partition=0,
        source_offset=0,
        decided_at_ms=NOON_MS + 100,
        event_at_ms=NOON_MS,
        amount_minor=120_000,
        currency="EUR",
        amount_eur_cents=120_000,
        payment_status=PaymentStatus.APPROVED,
        channel=Channel.PRESENT,
        merchant_id="merchant-1",
        category="electronics",
        merchant_country="DE",
        card_last4="1111",
    )
    return replace(defaults, **changes)


def a_reported_refund(**changes: Any) -> ReportedRefund:
    """Build the report of a whole refund of the same purchase, a day later."""
    defaults = ReportedRefund(
        source="shop",
        id="refund-1",
        purchase_id="1",
        purchased_at_ms=NOON_MS,
        refunded_at_ms=NOON_MS + DAY_MS,
        customer_id="customer-1",
        amount_minor=2_590,
        currency="EUR",
    )
    return replace(defaults, **changes)


def a_refund(**changes: Any) -> Refund:
    """Build the refund of the same report."""
    defaults = Refund(
        schema=REFUND_SCHEMA,
        kind=Kind.REFUND,
        refund_id="shop:refund-1",
        transaction_id="shop:1",
        purchased_at_ms=NOON_MS,
        refunded_at_ms=NOON_MS + DAY_MS,
        customer_token=a_token("a"),
        amount_minor=2_590,
        currency="EUR",
        amount_eur_cents=2_590,
        rate_on="2026-01-15",
        reason=RefundReason.REFUND,
    )
    return replace(defaults, **changes)


def a_token(character: str) -> str:
    """Build a well-formed token, different for each character of a-z and 2-7."""
    return "00000000_" + character * 26


def a_staff_alert(**changes: Any) -> StaffAlert:
    """Build the staff alert of a CRITICAL verdict that declined a purchase."""
    verdict_id = changes.get("verdict_id", "v-1")
    defaults = StaffAlert(
        verdict_id=verdict_id,
        transaction_id=f"shop:{verdict_id}",
        customer_token=a_token("a"),
        risk=Risk.CRITICAL,
        outcome=Outcome.DECLINE,
        event_at_ms=NOON_MS,
        amount_minor=120_000,
        currency="EUR",
        amount_eur_cents=120_000,
        rules=("card_testing", "high_amount"),
    )
    return replace(defaults, **changes)
