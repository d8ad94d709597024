"""Define the refund: money of an accepted purchase that was given back, or never taken.

It names its purchase by id and time. It is no purchase: it gets no verdict.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated

from fraudwatch.domain.messages.fields import Fact
from fraudwatch.domain.messages.purchase import (
    EARLIEST_EVENT_MS,
    IDENTIFIER,
    LATEST_EVENT_MS,
    LONGEST_ID,
    LONGEST_SOURCE,
    LONGEST_TRANSACTION_ID,
    PERSONAL,
    SOURCE_NAME,
)
from fraudwatch.domain.messages.transaction import PSEUDONYM, TOKEN_PATTERN, Kind

REFUND_SCHEMA = "refund.v1"


class RefundReason(enum.StrEnum):
    """Why the money is not the merchant's."""

    REFUND = "refund"  # given back after the payment
    REVERSAL = "reversal"  # the payment was undone as a whole before it was settled
    PARTIAL_CAPTURE = "partial_capture"  # less was taken than was authorised


# Fields that a report and its refund share.
PurchasedAtMs = Annotated[
    int,
    Fact(
        "event_at_ms of the purchase",
        unit="epoch ms UTC",
        minimum=EARLIEST_EVENT_MS,
        maximum=LATEST_EVENT_MS,
    ),
]
RefundedAtMs = Annotated[
    int,
    Fact(
        "When the money was given back",
        unit="epoch ms UTC",
        minimum=EARLIEST_EVENT_MS,
        maximum=LATEST_EVENT_MS,
    ),
]
RefundedAmount = Annotated[
    int, Fact("Amount given back", unit="minor units", minimum=1, maximum=10**13)
]
Reason = Annotated[RefundReason, Fact("Why the money is not the merchant's")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRefund:
    """Refund as a source reports it: the part of a purchase's amount that was given back."""

    source: Annotated[str, Fact("Reporting system", pattern=SOURCE_NAME, max_length=LONGEST_SOURCE)]
    id: Annotated[
        str,
        Fact("The refund's own id, unique there", pattern=IDENTIFIER, max_length=LONGEST_ID),
    ]
    purchase_id: Annotated[
        str, Fact("The purchase's id there", pattern=IDENTIFIER, max_length=LONGEST_ID)
    ]
    purchased_at_ms: PurchasedAtMs
    refunded_at_ms: RefundedAtMs
    customer_id: Annotated[
        str,
        Fact("The purchase's customer", max_length=128, pattern=r"\S.*", sensitivity=PERSONAL),
    ]
    amount_minor: RefundedAmount
    currency: Annotated[str, Fact("ISO 4217 code, the purchase's", pattern=r"[A-Z]{3}")]
    reason: Reason = RefundReason.REFUND


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """One accepted refund on ``transaction_topic``, keyed by its purchase's customer token."""

    # First on the wire: readers know a refund by how its message begins.
    schema: Annotated[str, Fact("Message version", pattern=r"refund\.v1")]
    kind: Annotated[Kind, Fact("Kind of message", pattern=Kind.REFUND.value)]
    refund_id: Annotated[
        str,
        Fact(
            "source:id of the refund, unique", pattern=IDENTIFIER, max_length=LONGEST_TRANSACTION_ID
        ),
    ]
    transaction_id: Annotated[
        str,
        Fact("source:id of the purchase", pattern=IDENTIFIER, max_length=LONGEST_TRANSACTION_ID),
    ]
    purchased_at_ms: PurchasedAtMs
    refunded_at_ms: RefundedAtMs
    customer_token: Annotated[str, Fact("Customer", pattern=TOKEN_PATTERN, sensitivity=PSEUDONYM)]
    amount_minor: RefundedAmount
    currency: Annotated[str, Fact("ISO 4217 code of amount_minor", pattern=r"[A-Z]{3}")]
    amount_eur_cents: Annotated[
        int, Fact("At the rate of the purchase's day", unit="euro cents", minimum=0, maximum=10**13)
    ]
    rate_on: Annotated[str, Fact("Day of the exchange rate", pattern=r"\d{4}-\d{2}-\d{2}")]
    reason: Reason


REFUND_BEGINS = f'{{"schema":"{REFUND_SCHEMA}"'.encode()
"""First bytes of every refund's message, and of no other's."""


def is_refund(message: bytes) -> bool:
    """Check whether a message of the transaction topic is a refund, without parsing it."""
    return message.startswith(REFUND_BEGINS)
