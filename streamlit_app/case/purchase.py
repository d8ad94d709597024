"""Fields of a purchase for the case page, in groups; pure."""

from __future__ import annotations

from dataclasses import dataclass

from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.money import amount_text
from streamlit_app.view_models import (
    CHANNEL_WORDS,
    PAYMENT_WORDS,
    UNKNOWN,
    clock_time,
    short_token,
)


@dataclass(frozen=True, slots=True)
class Field:
    """Field with its name and text, and the full value if the text is shortened."""

    name: str
    text: str
    full: str | None = None


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Fields under one title."""

    title: str
    fields: tuple[Field, ...]


def groups_of(purchase: Transaction, now_ms: int) -> tuple[FieldGroup, ...]:
    """Group the fields: purchase, payment, place, addresses."""
    return (_what(purchase, now_ms), _paid(purchase), _where(purchase), _delivery(purchase))


def _what(bought: Transaction, now_ms: int) -> FieldGroup:
    amount = amount_text(bought.amount_minor, bought.currency)
    in_euro = f"{amount_text(bought.amount_eur_cents, 'EUR')}, rate of {bought.rate_on}"
    return FieldGroup(
        "What",
        (
            Field("When", clock_time(bought.event_at_ms, now_ms)),
            Field("Amount", amount if bought.currency == "EUR" else f"{amount} ({in_euro})"),
            Field("Merchant", bought.merchant_id),
            Field("Category", bought.category or UNKNOWN),
            Field("Items", UNKNOWN if bought.item_count is None else f"{bought.item_count:,}"),
            Field("Transaction", bought.transaction_id),
        ),
    )


def _paid(bought: Transaction) -> FieldGroup:
    digits = f"•••• {bought.card_last4}" if bought.card_last4 else UNKNOWN
    return FieldGroup(
        "How paid",
        (
            Field("Payment", PAYMENT_WORDS[bought.payment_status]),
            Field("Channel", CHANNEL_WORDS[bought.channel]),
            Field("Card ends in", digits),
            Field("Issuer (BIN)", bought.card_bin or UNKNOWN),
            _token("Card", bought.card_token),
            _token("Customer", bought.customer_token),
        ),
    )


def _where(bought: Transaction) -> FieldGroup:
    return FieldGroup(
        "Where",
        (
            Field("Merchant country", bought.merchant_country or UNKNOWN),
            Field("Place", _place(bought.purchase_latitude, bought.purchase_longitude)),
            _token("Device", bought.device_token),
            _token("IP address", bought.ip_token),
            _token("IP network", bought.ip_network_token),
        ),
    )


def _delivery(bought: Transaction) -> FieldGroup:
    billing, shipping = bought.billing_country, bought.shipping_country
    return FieldGroup(
        "Addresses",
        (
            Field("Billing country", billing or UNKNOWN),
            Field("Billing place", _place(bought.billing_latitude, bought.billing_longitude)),
            Field("Delivery country", shipping or UNKNOWN),
            Field("Delivery place", _place(bought.shipping_latitude, bought.shipping_longitude)),
            Field("Billing and delivery", _compared(billing, shipping)),
        ),
    )


def _token(name: str, token: str | None) -> Field:
    return Field(name, UNKNOWN) if token is None else Field(name, short_token(token), token)


def _place(latitude: float | None, longitude: float | None) -> str:
    if latitude is None or longitude is None:
        return UNKNOWN
    north, east = "N" if latitude >= 0 else "S", "E" if longitude >= 0 else "W"
    return f"{abs(latitude):.1f}° {north}, {abs(longitude):.1f}° {east}"


def _compared(billing: str | None, shipping: str | None) -> str:
    if billing is None or shipping is None:
        return UNKNOWN
    return "same country" if billing == shipping else "different countries"
