"""Admit a purchase: validate, tokenise identifiers, seal personal fields, convert to euro."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fraudwatch.application.intake.screening import NO_WATCH_LISTS, WatchLists, screen
from fraudwatch.application.ports import Vault
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Fact, Problem, Sensitivity, problems
from fraudwatch.domain.messages.purchase import (
    LONGEST_SOURCE,
    SOURCE_NAME,
    Purchase,
    transaction_id_of,
)
from fraudwatch.domain.messages.transaction import TRANSACTION_SCHEMA, Kind, Transaction
from fraudwatch.domain.money import (
    LARGEST_EUR_CENTS,
    EuroAmount,
    MissingRate,
    RateTable,
    UnknownCurrency,
    amount_text,
)
from fraudwatch.domain.privacy import (
    ADDRESS_POSITION_DECIMALS,
    PURCHASE_POSITION_DECIMALS,
    TokenField,
    bin_and_last_four,
    bin_of,
    canonical_ip,
    coarse,
)

# Tolerates clock skew; a purchase dated tomorrow would make today's purchases late events.
FUTURE_TOLERANCE_MS = 5 * 60 * 1000
# No canonical value begins so: sources have no zero byte, nor have numbers and addresses.
_SANDBOX_NAMESPACE = "sandbox\0"
_TOO_LARGE = Problem("amount_minor", f"is more than {amount_text(LARGEST_EUR_CENTS, 'EUR')}")
_SEALED_FIELDS = (
    "customer_id", "name", "email", "phone", "card_number", "card_id", "device_id", "ip",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerReference:
    """Customer by the identifier of one source."""

    source: Annotated[str, Fact("Reporting system", pattern=SOURCE_NAME, max_length=LONGEST_SOURCE)]
    customer_id: Annotated[
        str, Fact("Customer", max_length=128, pattern=r"\S.*", sensitivity=Sensitivity.PERSONAL)
    ]


def customer_token_of(vault: Vault, customer: CustomerReference) -> str:
    """Return a customer's token: two sources' equal identifiers are two customers."""
    return vault.token(TokenField.CUSTOMER, _customer_name(customer))


def _customer_name(customer: CustomerReference) -> str:
    return f"{customer.source}:{customer.customer_id}"


@dataclass(frozen=True, slots=True)
class Edge:
    """Keys, exchange rates and watch lists with which the edge admits purchases.

    In a sandbox personal fields are dropped, and tokens are in a namespace of their own: none
    equals that of a real customer, card, device or network.
    """

    vault: Vault
    rates: RateTable
    watch_lists: WatchLists = NO_WATCH_LISTS
    is_sandbox: bool = False

    def admit(self, purchase: Purchase, *, now_ms: int) -> Transaction:
        """Return the transaction of a purchase.

        Raises:
            Refused: a field breaks its bounds, the currency has no known decimals or no rate, the
                IP address is invalid, or the event time is in the future.
        """
        if broken := problems(purchase):
            raise Refused(Code.OUT_OF_BOUNDS, broken)
        if purchase.event_at_ms > now_ms + FUTURE_TOLERANCE_MS:
            raise Refused(Code.FUTURE_EVENT, [Problem("event_at_ms", "is in the future")])
        euro = self.in_euro(purchase.amount_minor, purchase.currency, purchase.event_at_ms)
        transaction_id = transaction_id_of(purchase.source, purchase.id)
        customer = CustomerReference(source=purchase.source, customer_id=purchase.customer_id)
        customer_token = self.customer_token(customer)
        address, network = self._address_tokens(purchase.ip)
        card_token, card_bin, card_last4 = self._card(purchase)
        match = screen(self.watch_lists, purchase)
        return Transaction(
            schema=TRANSACTION_SCHEMA,
            kind=Kind.TRANSACTION,
            transaction_id=transaction_id,
            event_at_ms=purchase.event_at_ms,
            customer_token=customer_token,
            amount_minor=purchase.amount_minor,
            currency=purchase.currency,
            amount_eur_cents=euro.eur_cents,
            rate_on=euro.rate_on,
            payment_status=purchase.payment_status,
            channel=purchase.channel,
            merchant_id=purchase.merchant_id,
            category=purchase.category,
            item_count=purchase.item_count,
            card_token=card_token,
            card_bin=card_bin,
            card_last4=card_last4,
            device_token=self._known_token(TokenField.DEVICE, purchase.device_id),
            ip_token=address,
            ip_network_token=network,
            merchant_country=purchase.merchant_country,
            billing_country=purchase.billing_country,
            shipping_country=purchase.shipping_country,
            purchase_latitude=coarse(purchase.purchase_latitude, PURCHASE_POSITION_DECIMALS),
            purchase_longitude=coarse(purchase.purchase_longitude, PURCHASE_POSITION_DECIMALS),
            billing_latitude=coarse(purchase.billing_latitude, ADDRESS_POSITION_DECIMALS),
            billing_longitude=coarse(purchase.billing_longitude, ADDRESS_POSITION_DECIMALS),
            shipping_latitude=coarse(purchase.shipping_latitude, ADDRESS_POSITION_DECIMALS),
            shipping_longitude=coarse(purchase.shipping_longitude, ADDRESS_POSITION_DECIMALS),
            sealed=None
            if self.is_sandbox
            else self._sealed(customer_token, transaction_id, purchase),
            applied_default=purchase.applied_default,
            content_hash=self.vault.content_hash(purchase),
            watch_list_entry=None if match is None else match.entry,
            watch_list_similarity=None if match is None else match.similarity,
            watch_list_country=None if match is None else match.country,
        )

    def customer_token(self, customer: CustomerReference) -> str:
        """Return a customer's token, in a sandbox of its namespace."""
        return self._token(TokenField.CUSTOMER, _customer_name(customer))

    def in_euro(self, amount_minor: int, currency: str, at_ms: int) -> EuroAmount:
        """Convert an amount at the rate of a time's day.

        Raises:
            Refused: the currency has no known decimals or no rate, or it is too large.
        """
        day = datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
        try:
            euro = self.rates.to_eur(amount_minor, currency, day)
        except UnknownCurrency as error:
            raise Refused(Code.UNKNOWN_CURRENCY, [Problem("currency", str(error))]) from error
        except MissingRate as error:
            raise Refused(Code.MISSING_RATE, [Problem("currency", str(error))]) from error
        if euro.eur_cents > LARGEST_EUR_CENTS:
            raise Refused(Code.OUT_OF_BOUNDS, [_TOO_LARGE])
        return euro

    def _sealed(self, customer_token: str, transaction_id: str, purchase: Purchase) -> str:
        personal = {n: v for n in _SEALED_FIELDS if (v := getattr(purchase, n)) is not None}
        return self.vault.seal(customer_token, transaction_id, personal)

    def _token(self, field: TokenField, value: str) -> str:
        return self.vault.token(field, _SANDBOX_NAMESPACE + value if self.is_sandbox else value)

    def _known_token(self, field: TokenField, value: str | None) -> str | None:
        return None if value is None else self._token(field, value)

    def _card(self, purchase: Purchase) -> tuple[str | None, str | None, str | None]:
        """Return a card's token, BIN and last four digits; its number is used if it is known.

        A source's own name of a card is the same card only in purchases of that source. It never
        equals a number, which has no colon.
        """
        if (number := purchase.card_number) is not None:
            return self._token(TokenField.CARD, number), *bin_and_last_four(number)
        named = None
        if purchase.card_id is not None:
            named = self._token(TokenField.CARD, f"{purchase.source}:{purchase.card_id}")
        card_bin = None if purchase.card_bin is None else bin_of(purchase.card_bin)
        return named, card_bin, purchase.card_last4

    def _address_tokens(self, ip: str | None) -> tuple[str | None, str | None]:
        if ip is None:
            return None, None
        try:
            address, network = canonical_ip(ip)
        except ValueError as error:
            broken = Problem("ip", "is not an IPv4 or IPv6 address")
            raise Refused(Code.OUT_OF_BOUNDS, [broken]) from error
        return (
            self._token(TokenField.IP, address),
            self._token(TokenField.IP_NETWORK, network),
        )
