"""Define the transaction: the accepted purchase, tokenised, sealed, with its amount in euro."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated

from fraudwatch.domain.messages.fields import Fact, Sensitivity
from fraudwatch.domain.messages.purchase import (
    COUNTRY,
    EARLIEST_EVENT_MS,
    IDENTIFIER,
    LATEST_EVENT_MS,
    LONGEST_TRANSACTION_ID,
    AppliedDefault,
    Channel,
    PaymentStatus,
)

PSEUDONYM, SEALED = Sensitivity.PSEUDONYM, Sensitivity.SEALED
# <key id, 8 hex digits>_<128 bits, base32>: see fraudwatch.domain.privacy
TOKEN_PATTERN = r"[0-9a-f]{8}_[a-z2-7]{26}"  # noqa: S105  a pattern
# <key id, 8 hex digits>_<128 bits, hex>
CONTENT_HASH_PATTERN = r"[0-9a-f]{8}_[0-9a-f]{32}"
TRANSACTION_SCHEMA = "transaction.v1"


class Kind(enum.StrEnum):
    """Kind of message on the topic; erasures and refunds come in offset order like any event."""

    TRANSACTION = "transaction"
    ERASE = "erase"
    REFUND = "refund"


class WatchListCountry(enum.StrEnum):
    """Countries of a purchase's addresses, compared with those of a watch list's entry."""

    SAME = "same"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One accepted purchase on ``transaction_topic``, keyed by its customer token.

    Personal fields are inside ``sealed`` (AES-256-GCM under the customer's own key) or replaced by
    keyed tokens. An absent value is unknown, never zero.
    """

    schema: Annotated[str, Fact("Message version", pattern=r"transaction\.v1")]
    kind: Annotated[Kind, Fact("Kind of message")]
    transaction_id: Annotated[
        str, Fact("source:id, unique", pattern=IDENTIFIER, max_length=LONGEST_TRANSACTION_ID)
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
    customer_token: Annotated[str, Fact("Customer", pattern=TOKEN_PATTERN, sensitivity=PSEUDONYM)]
    amount_minor: Annotated[
        int, Fact("Amount as charged", unit="minor units", minimum=0, maximum=10**13)
    ]
    currency: Annotated[str, Fact("ISO 4217 code of amount_minor", pattern=r"[A-Z]{3}")]
    amount_eur_cents: Annotated[int, Fact("Amount in euro", unit="euro cents", minimum=0)]
    rate_on: Annotated[str, Fact("Day of the exchange rate", pattern=r"\d{4}-\d{2}-\d{2}")]
    payment_status: Annotated[PaymentStatus, Fact("Answer of the payment system")]
    channel: Annotated[Channel, Fact("Card present or not")]
    merchant_id: Annotated[str, Fact("Merchant", max_length=128)]
    category: Annotated[str | None, Fact("Category of goods", max_length=64)] = None
    item_count: Annotated[int | None, Fact("Number of items", minimum=0, maximum=10**6)] = None
    card_token: Annotated[
        str | None, Fact("Card", pattern=TOKEN_PATTERN, sensitivity=PSEUDONYM)
    ] = None
    card_bin: Annotated[str | None, Fact("Issuer: first six digits", pattern=r"[0-9]{6}")] = None
    card_last4: Annotated[str | None, Fact("Last four digits", pattern=r"[0-9]{4}")] = None
    device_token: Annotated[
        str | None, Fact("Device", pattern=TOKEN_PATTERN, sensitivity=PSEUDONYM)
    ] = None
    ip_token: Annotated[
        str | None, Fact("IP address", pattern=TOKEN_PATTERN, sensitivity=PSEUDONYM)
    ] = None
    ip_network_token: Annotated[
        str | None,
        Fact("Its /24 (IPv4) or /48 (IPv6) network", pattern=TOKEN_PATTERN, sensitivity=PSEUDONYM),
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
        float | None, Fact("Billing address, to a tenth", unit="degrees", minimum=-90, maximum=90)
    ] = None
    billing_longitude: Annotated[
        float | None, Fact("Billing address, to a tenth", unit="degrees", minimum=-180, maximum=180)
    ] = None
    shipping_latitude: Annotated[
        float | None, Fact("Delivery address, to a tenth", unit="degrees", minimum=-90, maximum=90)
    ] = None
    shipping_longitude: Annotated[
        float | None,
        Fact("Delivery address, to a tenth", unit="degrees", minimum=-180, maximum=180),
    ] = None
    sealed: Annotated[
        str | None,
        Fact("The personal fields, base64 of AES-256-GCM", max_length=8_192, sensitivity=SEALED),
    ] = None
    content_hash: Annotated[
        str | None,
        Fact(
            "Keyed hash of the purchase as it was sent; none: it came before there was one",
            pattern=CONTENT_HASH_PATTERN,
            sensitivity=PSEUDONYM,
        ),
    ] = None
    applied_default: Annotated[
        AppliedDefault | None,
        Fact("What the source applied when no verdict came in time; none: it was not needed"),
    ] = None
    watch_list_entry: Annotated[
        str | None,
        Fact(
            "Most similar entry of the watch lists, list@version:id; none: no name, no list, or "
            "none similar",
            max_length=256,
            pattern=r"[A-Za-z0-9_-]+@[0-9a-f]{8}:\S+",
            sensitivity=PSEUDONYM,
        ),
    ] = None
    watch_list_similarity: Annotated[
        float | None, Fact("Similarity of the names", unit="ratio", minimum=0, maximum=1)
    ] = None
    watch_list_country: Annotated[
        WatchListCountry | None,
        Fact("Whether an address is in a country of the entry; none: either is unknown"),
    ] = None
