"""Message builders of ingest: from purchases, refunds and label reports to outbound messages.

Each sets the name, by which a repeat is recognised, and the message key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from fraudwatch.application.intake.admit import Edge
from fraudwatch.application.intake.admit_label import admit_label
from fraudwatch.application.intake.admit_refund import admit_refund
from fraudwatch.application.intake.intake import OutboundMessage
from fraudwatch.domain.messages.label import Label, ReportedLabel
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.messages.refund import REFUND_SCHEMA, Refund, ReportedRefund
from fraudwatch.domain.messages.transaction import Transaction


def purchase_builder(
    edge: Edge, encode: Callable[[Transaction], bytes]
) -> Callable[[Purchase, int], OutboundMessage]:
    """Build transactions from purchases, named by transaction id, keyed by customer token."""

    def admit(purchase: Purchase, now_ms: int) -> OutboundMessage:
        admitted = edge.admit(purchase, now_ms=now_ms)
        return OutboundMessage(
            admitted.transaction_id,
            admitted.customer_token,
            encode(admitted),
            admitted.content_hash,
        )

    return admit


def refund_builder(
    edge: Edge, encode: Callable[[Refund], bytes]
) -> Callable[[ReportedRefund, int], OutboundMessage]:
    """Build refunds from reports, named by refund id, keyed by customer token."""

    def admit(reported: ReportedRefund, now_ms: int) -> OutboundMessage:
        refund = admit_refund(edge, reported, now_ms=now_ms)
        value = encode(refund)
        # Of the message itself: it has no sealed field, which would differ each time.
        content_hash = f"{REFUND_SCHEMA}_{hashlib.sha256(value).hexdigest()}"
        return OutboundMessage(refund.refund_id, refund.customer_token, value, content_hash)

    return admit


def label_builder(
    encode: Callable[[Label], bytes],
) -> Callable[[ReportedLabel, int], OutboundMessage]:
    """Build labels from reports, named by their whole value, keyed by transaction id."""

    def admit(reported: ReportedLabel, now_ms: int) -> OutboundMessage:
        label = admit_label(reported, now_ms=now_ms)
        value = encode(label)
        return OutboundMessage(value.decode(), label.transaction_id, value)

    return admit
