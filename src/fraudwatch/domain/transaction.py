"""A transaction as it travels inside: tokens instead of names, euro cents beside the original."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from fraudwatch.domain.fields import Sensitivity, fact
from fraudwatch.domain.purchase import (
    COUNTRY,
    EARLIEST_EVENT_MS,
    IDENTIFIER,
    LATEST_EVENT_MS,
    Channel,
    PaymentStatus,
)

PSEUDONYM, SEALED = Sensitivity.PSEUDONYM, Sensitivity.SEALED
# <key id, 8 hex digits>_<128 bits, base32>: see fraudwatch.domain.privacy
TOKEN_PATTERN = r"[0-9a-f]{8}_[a-z2-7]{26}"  # noqa: S105  a pattern
TRANSACTION_SCHEMA = "transaction.v1"


class Kind(enum.StrEnum):
    """What an envelope on the topic asks for; erasure comes in offset order like any event."""

    TRANSACTION = "transaction"
    ERASE = "erase"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One admitted purchase on ``transaction_topic``, keyed by its customer token.

    Personal fields are inside ``sealed`` (AES-256-GCM under the customer's own key) or replaced by
    keyed tokens. An absent value is unknown, never zero.
    """

    schema: str = fact("Message version", pattern=r"transaction\.v1")
    kind: Kind = fact("What the envelope asks for")
    transaction_id: str = fact("source:id, unique", pattern=IDENTIFIER, max_length=64)
    event_at_ms: int = fact(
        "When it happened", unit="epoch ms UTC", minimum=EARLIEST_EVENT_MS, maximum=LATEST_EVENT_MS
    )
    customer_token: str = fact("Who bought", pattern=TOKEN_PATTERN, sensitivity=PSEUDONYM)
    amount_minor: int = fact("Amount as charged", unit="minor units", minimum=0, maximum=10**13)
    currency: str = fact("ISO 4217 code of amount_minor", pattern=r"[A-Z]{3}")
    amount_eur_cents: int = fact("Amount in euro", unit="euro cents", minimum=0)
    rate_on: str = fact("Day of the exchange rate", pattern=r"\d{4}-\d{2}-\d{2}")
    payment_status: PaymentStatus = fact("What the payment system answered")
    channel: Channel = fact("Card present or not")
    merchant_id: str = fact("Who sold", max_length=128)
    category: str | None = fact("What kind of goods", default=None, max_length=64)
    item_count: int | None = fact("Pieces bought", default=None, minimum=0, maximum=10**6)
    card_token: str | None = fact(
        "Card", default=None, pattern=TOKEN_PATTERN, sensitivity=PSEUDONYM
    )
    card_bin: str | None = fact("Issuer: first six digits", default=None, pattern=r"[0-9]{6}")
    card_last4: str | None = fact("Last four digits", default=None, pattern=r"[0-9]{4}")
    device_token: str | None = fact(
        "Device", default=None, pattern=TOKEN_PATTERN, sensitivity=PSEUDONYM
    )
    ip_token: str | None = fact(
        "Address", default=None, pattern=TOKEN_PATTERN, sensitivity=PSEUDONYM
    )
    ip_network_token: str | None = fact(
        "Its /24 (IPv4) or /48 (IPv6) network",
        default=None,
        pattern=TOKEN_PATTERN,
        sensitivity=PSEUDONYM,
    )
    merchant_country: str | None = fact("Seller's country", default=None, pattern=COUNTRY)
    billing_country: str | None = fact("Billing address's country", default=None, pattern=COUNTRY)
    shipping_country: str | None = fact("Delivery's country", default=None, pattern=COUNTRY)
    purchase_latitude: float | None = fact(
        "Where it happened", default=None, unit="degrees", minimum=-90, maximum=90
    )
    purchase_longitude: float | None = fact(
        "Where it happened", default=None, unit="degrees", minimum=-180, maximum=180
    )
    billing_latitude: float | None = fact(
        "Billing address, to a tenth", default=None, unit="degrees", minimum=-90, maximum=90
    )
    billing_longitude: float | None = fact(
        "Billing address, to a tenth", default=None, unit="degrees", minimum=-180, maximum=180
    )
    shipping_latitude: float | None = fact(
        "Delivery address, to a tenth", default=None, unit="degrees", minimum=-90, maximum=90
    )
    shipping_longitude: float | None = fact(
        "Delivery address, to a tenth", default=None, unit="degrees", minimum=-180, maximum=180
    )
    sealed: str | None = fact(
        "The personal fields, base64 of AES-256-GCM",
        default=None,
        max_length=8_192,
        sensitivity=SEALED,
    )
