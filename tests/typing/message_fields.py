"""Check with mypy that a message with a missing or a mistyped field is refused.

mypy checks this file together with the product (``make check``); it is never executed. Each
expected error has a ``type: ignore``: if mypy stops reporting the error, it reports the unused
comment.
"""

from __future__ import annotations

from dataclasses import replace

from fraudwatch.domain.messages.purchase import Channel, PaymentStatus
from fraudwatch.domain.messages.transaction import Kind, Transaction
from fraudwatch.domain.messages.verdict import Mode, Outcome, Risk, Verdict


def a_whole_transaction() -> Transaction:
    return Transaction(
        schema="transaction.v1",
        kind=Kind.TRANSACTION,
        transaction_id="shop:1",
        event_at_ms=0,
        customer_token="",
        amount_minor=1,
        currency="EUR",
        amount_eur_cents=1,
        rate_on="2026-01-15",
        payment_status=PaymentStatus.APPROVED,
        channel=Channel.PRESENT,
        merchant_id="m",
    )


def a_transaction_without_its_amount_in_euro() -> Transaction:
    return Transaction(  # type: ignore[call-arg]
        schema="transaction.v1",
        kind=Kind.TRANSACTION,
        transaction_id="shop:1",
        event_at_ms=0,
        customer_token="",
        amount_minor=1,
        currency="EUR",
        rate_on="2026-01-15",
        payment_status=PaymentStatus.APPROVED,
        channel=Channel.PRESENT,
        merchant_id="m",
    )


def a_transaction_with_a_text_as_amount() -> Transaction:
    return Transaction(
        schema="transaction.v1",
        kind=Kind.TRANSACTION,
        transaction_id="shop:1",
        event_at_ms=0,
        customer_token="",
        amount_minor="1",  # type: ignore[arg-type]
        currency="EUR",
        amount_eur_cents=1,
        rate_on="2026-01-15",
        payment_status=PaymentStatus.APPROVED,
        channel=Channel.PRESENT,
        merchant_id="m",
        category=7,  # type: ignore[arg-type]
    )


def a_whole_verdict() -> Verdict:
    return Verdict(
        schema="verdict.v1",
        verdict_id="",
        transaction_id="shop:1",
        customer_token="",
        outcome=Outcome.REVIEW,
        risk=Risk.HIGH,
        score=0.5,
        mode=Mode.RULES_ONLY,
        reasons=(),
        policy_version="",
        features_version="",
        source_partition=0,
        source_offset=0,
        decided_at_ms=0,
        event_at_ms=0,
        amount_minor=1,
        currency="EUR",
        amount_eur_cents=1,
        payment_status=PaymentStatus.APPROVED,
        channel=Channel.PRESENT,
        merchant_id="m",
    )


def a_verdict_without_its_reasons() -> Verdict:
    return Verdict(  # type: ignore[call-arg]
        schema="verdict.v1",
        verdict_id="",
        transaction_id="shop:1",
        customer_token="",
        outcome=Outcome.REVIEW,
        risk=Risk.HIGH,
        score=0.5,
        mode=Mode.RULES_ONLY,
        policy_version="",
        features_version="",
        source_partition=0,
        source_offset=0,
        decided_at_ms=0,
        event_at_ms=0,
        amount_minor=1,
        currency="EUR",
        amount_eur_cents=1,
        payment_status=PaymentStatus.APPROVED,
        channel=Channel.PRESENT,
        merchant_id="m",
    )


def verdicts_with_a_mistyped_field() -> list[Verdict]:
    whole = a_whole_verdict()
    return [
        replace(whole, outcome="review"),  # type: ignore[arg-type]
        replace(whole, reasons=("velocity",)),  # type: ignore[arg-type]
        replace(whole, route=None),  # type: ignore[arg-type]
    ]
