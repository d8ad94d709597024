"""A purchase as the outside world tells it: the only message that carries personal data in clear.

It exists between the edge and :func:`fraudwatch.application.admit.admit`, never after it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from fraudwatch.domain.fields import Sensitivity, fact

PERSONAL = Sensitivity.PERSONAL
COUNTRY = r"[A-Z]{2}"
IDENTIFIER = r"[A-Za-z0-9:_.-]+"
SOURCE_NAME = r"[a-z0-9_-]+"
# Together with the colon between them, 64 characters: the longest transaction id.
LONGEST_SOURCE, LONGEST_ID = 16, 47
# 2000-01-01 and 2100-01-01 UTC: a clock outside these is broken, not early or late.
EARLIEST_EVENT_MS, LATEST_EVENT_MS = 946_684_800_000, 4_102_444_800_000


def transaction_id_of(source: str, own_id: str) -> str:
    """The id that a purchase has inside: its source's own id, unique among all sources."""
    return f"{source}:{own_id}"


class PaymentStatus(enum.StrEnum):
    """What the payment system answered: an attempt that did not go through is a fact as well."""

    APPROVED = "approved"
    DECLINED = "declined"
    FAILED = "failed"


class Channel(enum.StrEnum):
    """Was the card where the terminal was?"""

    PRESENT = "present"
    NOT_PRESENT = "not_present"


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One purchase, or attempt at one, as a shop or payment system reports it.

    Unknown stays absent: a source that has no card numbers, addresses or positions leaves them out.
    """

    source: str = fact("Which system reports it", pattern=SOURCE_NAME, max_length=LONGEST_SOURCE)
    id: str = fact("The source's own id, unique in it", pattern=IDENTIFIER, max_length=LONGEST_ID)
    event_at_ms: int = fact(
        "When it happened", unit="epoch ms UTC", minimum=EARLIEST_EVENT_MS, maximum=LATEST_EVENT_MS
    )
    customer_id: str = fact("Who bought", max_length=128, pattern=r"\S.*", sensitivity=PERSONAL)
    amount_minor: int = fact("Amount", unit="minor units", minimum=0, maximum=10**13)
    currency: str = fact("ISO 4217 code", pattern=r"[A-Z]{3}")
    payment_status: PaymentStatus = fact("What the payment system answered")
    channel: Channel = fact("Card present or not")
    merchant_id: str = fact("Who sold", pattern=r"\S.*", max_length=128)
    category: str | None = fact("What kind of goods", default=None, max_length=64)
    item_count: int | None = fact("Pieces bought", default=None, minimum=0, maximum=10**6)
    card_number: str | None = fact(
        "The card's number", default=None, pattern=r"[0-9]{12,19}", sensitivity=PERSONAL
    )
    device_id: str | None = fact(
        "The device it came from", default=None, max_length=128, sensitivity=PERSONAL
    )
    ip: str | None = fact("Its internet address", default=None, max_length=45, sensitivity=PERSONAL)
    name: str | None = fact("Card holder", default=None, max_length=256, sensitivity=PERSONAL)
    email: str | None = fact("Mail address", default=None, max_length=320, sensitivity=PERSONAL)
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
        "Billing address", default=None, unit="degrees", minimum=-90, maximum=90
    )
    billing_longitude: float | None = fact(
        "Billing address", default=None, unit="degrees", minimum=-180, maximum=180
    )
    shipping_latitude: float | None = fact(
        "Delivery address", default=None, unit="degrees", minimum=-90, maximum=90
    )
    shipping_longitude: float | None = fact(
        "Delivery address", default=None, unit="degrees", minimum=-180, maximum=180
    )
