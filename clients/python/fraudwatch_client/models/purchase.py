from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.applied_default import AppliedDefault
from ..models.channel import Channel
from ..models.kind import Kind
from ..models.payment_status import PaymentStatus
from ..models.watch_list_country import WatchListCountry
from typing import cast






T = TypeVar("T", bound="Purchase")



@_attrs_define
class Purchase:
    """ The scored purchase, without its sealed fields.

        Attributes:
            schema (str): Message version
            kind (Kind): Kind of message on the topic; erasures and refunds come in offset order like any event.
            transaction_id (str): source:id, unique
            event_at_ms (int): When it happened; epoch ms UTC
            customer_token (str): Customer
            amount_minor (int): Amount as charged; minor units
            currency (str): ISO 4217 code of amount_minor
            amount_eur_cents (int): Amount in euro; euro cents
            rate_on (str): Day of the exchange rate
            payment_status (PaymentStatus): Answer of the payment system; failed attempts are messages as well.
            channel (Channel): Whether the card was present at the terminal.
            merchant_id (str): Merchant
            category (None | str): Category of goods
            item_count (int | None): Number of items
            card_token (None | str): Card
            card_bin (None | str): Issuer: first six digits
            card_last4 (None | str): Last four digits
            device_token (None | str): Device
            ip_token (None | str): IP address
            ip_network_token (None | str): Its /24 (IPv4) or /48 (IPv6) network
            merchant_country (None | str): Merchant's country
            billing_country (None | str): Country of the billing address
            shipping_country (None | str): Country of the delivery address
            purchase_latitude (float | None): Where it happened; degrees
            purchase_longitude (float | None): Where it happened; degrees
            billing_latitude (float | None): Billing address, to a tenth; degrees
            billing_longitude (float | None): Billing address, to a tenth; degrees
            shipping_latitude (float | None): Delivery address, to a tenth; degrees
            shipping_longitude (float | None): Delivery address, to a tenth; degrees
            content_hash (None | str): Keyed hash of the purchase as it was sent; none: it came before there was one
            applied_default (AppliedDefault | None): What the source applied when no verdict came in time; none: it was not
                needed
            watch_list_entry (None | str): Most similar entry of the watch lists, list@version:id; none: no name, no list,
                or none similar
            watch_list_similarity (float | None): Similarity of the names; ratio
            watch_list_country (None | WatchListCountry): Whether an address is in a country of the entry; none: either is
                unknown
     """

    schema: str
    kind: Kind
    transaction_id: str
    event_at_ms: int
    customer_token: str
    amount_minor: int
    currency: str
    amount_eur_cents: int
    rate_on: str
    payment_status: PaymentStatus
    channel: Channel
    merchant_id: str
    category: None | str
    item_count: int | None
    card_token: None | str
    card_bin: None | str
    card_last4: None | str
    device_token: None | str
    ip_token: None | str
    ip_network_token: None | str
    merchant_country: None | str
    billing_country: None | str
    shipping_country: None | str
    purchase_latitude: float | None
    purchase_longitude: float | None
    billing_latitude: float | None
    billing_longitude: float | None
    shipping_latitude: float | None
    shipping_longitude: float | None
    content_hash: None | str
    applied_default: AppliedDefault | None
    watch_list_entry: None | str
    watch_list_similarity: float | None
    watch_list_country: None | WatchListCountry
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        schema = self.schema

        kind = self.kind.value

        transaction_id = self.transaction_id

        event_at_ms = self.event_at_ms

        customer_token = self.customer_token

        amount_minor = self.amount_minor

        currency = self.currency

        amount_eur_cents = self.amount_eur_cents

        rate_on = self.rate_on

        payment_status = self.payment_status.value

        channel = self.channel.value

        merchant_id = self.merchant_id

        category: None | str
        category = self.category

        item_count: int | None
        item_count = self.item_count

        card_token: None | str
        card_token = self.card_token

        card_bin: None | str
        card_bin = self.card_bin

        card_last4: None | str
        card_last4 = self.card_last4

        device_token: None | str
        device_token = self.device_token

        ip_token: None | str
        ip_token = self.ip_token

        ip_network_token: None | str
        ip_network_token = self.ip_network_token

        merchant_country: None | str
        merchant_country = self.merchant_country

        billing_country: None | str
        billing_country = self.billing_country

        shipping_country: None | str
        shipping_country = self.shipping_country

        purchase_latitude: float | None
        purchase_latitude = self.purchase_latitude

        purchase_longitude: float | None
        purchase_longitude = self.purchase_longitude

        billing_latitude: float | None
        billing_latitude = self.billing_latitude

        billing_longitude: float | None
        billing_longitude = self.billing_longitude

        shipping_latitude: float | None
        shipping_latitude = self.shipping_latitude

        shipping_longitude: float | None
        shipping_longitude = self.shipping_longitude

        content_hash: None | str
        content_hash = self.content_hash

        applied_default: None | str
        if isinstance(self.applied_default, AppliedDefault):
            applied_default = self.applied_default.value
        else:
            applied_default = self.applied_default

        watch_list_entry: None | str
        watch_list_entry = self.watch_list_entry

        watch_list_similarity: float | None
        watch_list_similarity = self.watch_list_similarity

        watch_list_country: None | str
        if isinstance(self.watch_list_country, WatchListCountry):
            watch_list_country = self.watch_list_country.value
        else:
            watch_list_country = self.watch_list_country


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "schema": schema,
            "kind": kind,
            "transaction_id": transaction_id,
            "event_at_ms": event_at_ms,
            "customer_token": customer_token,
            "amount_minor": amount_minor,
            "currency": currency,
            "amount_eur_cents": amount_eur_cents,
            "rate_on": rate_on,
            "payment_status": payment_status,
            "channel": channel,
            "merchant_id": merchant_id,
            "category": category,
            "item_count": item_count,
            "card_token": card_token,
            "card_bin": card_bin,
            "card_last4": card_last4,
            "device_token": device_token,
            "ip_token": ip_token,
            "ip_network_token": ip_network_token,
            "merchant_country": merchant_country,
            "billing_country": billing_country,
            "shipping_country": shipping_country,
            "purchase_latitude": purchase_latitude,
            "purchase_longitude": purchase_longitude,
            "billing_latitude": billing_latitude,
            "billing_longitude": billing_longitude,
            "shipping_latitude": shipping_latitude,
            "shipping_longitude": shipping_longitude,
            "content_hash": content_hash,
            "applied_default": applied_default,
            "watch_list_entry": watch_list_entry,
            "watch_list_similarity": watch_list_similarity,
            "watch_list_country": watch_list_country,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        schema = d.pop("schema")

        kind = Kind(d.pop("kind"))




        transaction_id = d.pop("transaction_id")

        event_at_ms = d.pop("event_at_ms")

        customer_token = d.pop("customer_token")

        amount_minor = d.pop("amount_minor")

        currency = d.pop("currency")

        amount_eur_cents = d.pop("amount_eur_cents")

        rate_on = d.pop("rate_on")

        payment_status = PaymentStatus(d.pop("payment_status"))




        channel = Channel(d.pop("channel"))




        merchant_id = d.pop("merchant_id")

        def _parse_category(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        category = _parse_category(d.pop("category"))


        def _parse_item_count(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        item_count = _parse_item_count(d.pop("item_count"))


        def _parse_card_token(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        card_token = _parse_card_token(d.pop("card_token"))


        def _parse_card_bin(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        card_bin = _parse_card_bin(d.pop("card_bin"))


        def _parse_card_last4(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        card_last4 = _parse_card_last4(d.pop("card_last4"))


        def _parse_device_token(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        device_token = _parse_device_token(d.pop("device_token"))


        def _parse_ip_token(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        ip_token = _parse_ip_token(d.pop("ip_token"))


        def _parse_ip_network_token(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        ip_network_token = _parse_ip_network_token(d.pop("ip_network_token"))


        def _parse_merchant_country(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        merchant_country = _parse_merchant_country(d.pop("merchant_country"))


        def _parse_billing_country(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        billing_country = _parse_billing_country(d.pop("billing_country"))


        def _parse_shipping_country(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        shipping_country = _parse_shipping_country(d.pop("shipping_country"))


        def _parse_purchase_latitude(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        purchase_latitude = _parse_purchase_latitude(d.pop("purchase_latitude"))


        def _parse_purchase_longitude(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        purchase_longitude = _parse_purchase_longitude(d.pop("purchase_longitude"))


        def _parse_billing_latitude(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        billing_latitude = _parse_billing_latitude(d.pop("billing_latitude"))


        def _parse_billing_longitude(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        billing_longitude = _parse_billing_longitude(d.pop("billing_longitude"))


        def _parse_shipping_latitude(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        shipping_latitude = _parse_shipping_latitude(d.pop("shipping_latitude"))


        def _parse_shipping_longitude(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        shipping_longitude = _parse_shipping_longitude(d.pop("shipping_longitude"))


        def _parse_content_hash(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        content_hash = _parse_content_hash(d.pop("content_hash"))


        def _parse_applied_default(data: object) -> AppliedDefault | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                applied_default_type_0 = AppliedDefault(data)



                return applied_default_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AppliedDefault | None, data)

        applied_default = _parse_applied_default(d.pop("applied_default"))


        def _parse_watch_list_entry(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        watch_list_entry = _parse_watch_list_entry(d.pop("watch_list_entry"))


        def _parse_watch_list_similarity(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        watch_list_similarity = _parse_watch_list_similarity(d.pop("watch_list_similarity"))


        def _parse_watch_list_country(data: object) -> None | WatchListCountry:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                watch_list_country_type_0 = WatchListCountry(data)



                return watch_list_country_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | WatchListCountry, data)

        watch_list_country = _parse_watch_list_country(d.pop("watch_list_country"))


        purchase = cls(
            schema=schema,
            kind=kind,
            transaction_id=transaction_id,
            event_at_ms=event_at_ms,
            customer_token=customer_token,
            amount_minor=amount_minor,
            currency=currency,
            amount_eur_cents=amount_eur_cents,
            rate_on=rate_on,
            payment_status=payment_status,
            channel=channel,
            merchant_id=merchant_id,
            category=category,
            item_count=item_count,
            card_token=card_token,
            card_bin=card_bin,
            card_last4=card_last4,
            device_token=device_token,
            ip_token=ip_token,
            ip_network_token=ip_network_token,
            merchant_country=merchant_country,
            billing_country=billing_country,
            shipping_country=shipping_country,
            purchase_latitude=purchase_latitude,
            purchase_longitude=purchase_longitude,
            billing_latitude=billing_latitude,
            billing_longitude=billing_longitude,
            shipping_latitude=shipping_latitude,
            shipping_longitude=shipping_longitude,
            content_hash=content_hash,
            applied_default=applied_default,
            watch_list_entry=watch_list_entry,
            watch_list_similarity=watch_list_similarity,
            watch_list_country=watch_list_country,
        )


        purchase.additional_properties = d
        return purchase

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
