"""Define the purchase as a shop sends it: the only message with personal data in plain text.

It exists between the edge and :func:`fraudwatch.application.intake.admit.admit`, never after it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated

from fraudwatch.domain.messages.fields import Fact, Sensitivity

PERSONAL = Sensitivity.PERSONAL
COUNTRY = r"[A-Z]{2}"
# Base64 and prefixed UUIDs as well; no space, which separates ids in keys and in logs.
IDENTIFIER = r"[A-Za-z0-9:_.+/=-]+"
SOURCE_NAME = r"[a-z0-9_-]+"
LONGEST_SOURCE, LONGEST_ID = 16, 64
LONGEST_TRANSACTION_ID = LONGEST_SOURCE + 1 + LONGEST_ID  # with the colon between them
# 2000-01-01 and 2100-01-01 UTC: a clock outside these is broken, not early or late.
EARLIEST_EVENT_MS, LATEST_EVENT_MS = 946_684_800_000, 4_102_444_800_000


SOURCE_SEPARATOR = ":"
"""Divides a transaction id; no name of a source has it."""


def transaction_id_of(source: str, own_id: str) -> str:
    """Return the transaction id of a purchase: its source's own id, unique among all sources."""
    return f"{source}{SOURCE_SEPARATOR}{own_id}"


class PaymentStatus(enum.StrEnum):
    """Answer of the payment system; failed attempts are messages as well."""

    APPROVED = "approved"
    DECLINED = "declined"
    FAILED = "failed"


class Channel(enum.StrEnum):
    """Whether the card was present at the terminal."""

    PRESENT = "present"
    NOT_PRESENT = "not_present"


class AppliedDefault(enum.StrEnum):
    """Outcome that a source applied by agreement, because no verdict came in time."""

    APPROVE = "approve"
    REVIEW = "review"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One purchase or payment attempt, as a shop or payment system reports it.

    Unknown fields are absent: a source without card numbers, addresses or positions omits them.
    """

    source: Annotated[str, Fact("Reporting system", pattern=SOURCE_NAME, max_length=LONGEST_SOURCE)]
    id: Annotated[
        str, Fact("The source's own id, unique there", pattern=IDENTIFIER, max_length=LONGEST_ID)
    ]
    event_at_ms: Annotated[
        int,
        Fact(
            "When it happened",
            unit="epoch ms UTC",
            minimum=EARLIEST_EVENT_MS,
            maximum=LATEST_EVENT_MS,
        ),
    ]
    customer_id: Annotated[
        str, Fact("Customer", max_length=128, pattern=r"\S.*", sensitivity=PERSONAL)
    ]
    amount_minor: Annotated[int, Fact("Amount", unit="minor units", minimum=0, maximum=10**13)]
    currency: Annotated[str, Fact("ISO 4217 code", pattern=r"[A-Z]{3}")]
    payment_status: Annotated[PaymentStatus, Fact("Answer of the payment system")]
    channel: Annotated[Channel, Fact("Card present or not")]
    merchant_id: Annotated[str, Fact("Merchant", pattern=r"\S.*", max_length=128)]
    category: Annotated[str | None, Fact("Category of goods", max_length=64)] = None
    item_count: Annotated[int | None, Fact("Number of items", minimum=0, maximum=10**6)] = None
    card_number: Annotated[
        str | None, Fact("The card's number", pattern=r"[0-9]{12,19}", sensitivity=PERSONAL)
    ] = None
    card_id: Annotated[
        str | None,
        Fact(
            "The source's own name of the card, where it never sees numbers",
            pattern=r"\S.*",
            max_length=128,
            sensitivity=PERSONAL,
        ),
    ] = None
    card_bin: Annotated[
        str | None, Fact("First six to eight digits, beside card_id", pattern=r"[0-9]{6,8}")
    ] = None
    card_last4: Annotated[
        str | None, Fact("Last four digits, beside card_id", pattern=r"[0-9]{4}")
    ] = None
    device_id: Annotated[
        str | None, Fact("Device of the customer", max_length=128, sensitivity=PERSONAL)
    ] = None
    ip: Annotated[
        str | None, Fact("IP address of the device", max_length=45, sensitivity=PERSONAL)
    ] = None
    name: Annotated[str | None, Fact("Card holder", max_length=256, sensitivity=PERSONAL)] = None
    email: Annotated[str | None, Fact("Mail address", max_length=320, sensitivity=PERSONAL)] = None
    phone: Annotated[
        str | None,
        Fact(
            "Telephone, E.164: +4915112345678", pattern=r"\+[1-9][0-9]{6,14}", sensitivity=PERSONAL
        ),
    ] = None
    merchant_country: Annotated[str | None, Fact("Merchant's country", pattern=COUNTRY)] = None
    billing_country: Annotated[
        str | None, Fact("Country of the billing address", pattern=COUNTRY)
    ] = None
    shipping_country: Annotated[
        str | None, Fact("Country of the delivery address", pattern=COUNTRY)
    ] = None
    purchase_latitude: Annotated[
        float | None, Fact("Where it happened", unit="degrees", minimum=-90, maximum=90)
    ] = None
    purchase_longitude: Annotated[
        float | None, Fact("Where it happened", unit="degrees", minimum=-180, maximum=180)
    ] = None
    billing_latitude: Annotated[
        float | None, Fact("Billing address", unit="degrees", minimum=-90, maximum=90)
    ] = None
    billing_longitude: Annotated[
        float | None, Fact("Billing address", unit="degrees", minimum=-180, maximum=180)
    ] = None
    shipping_latitude: Annotated[
        float | None, Fact("Delivery address", unit="degrees", minimum=-90, maximum=90)
    ] = None
    shipping_longitude: Annotated[
        float | None, Fact("Delivery address", unit="degrees", minimum=-180, maximum=180)
    ] = None
    applied_default: Annotated[
        AppliedDefault | None,
        Fact("What the source applied when no verdict came in time; none: it was not needed"),
    ] = None
