from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.kind import Kind
from ..models.refund_reason import RefundReason






T = TypeVar("T", bound="Refund")



@_attrs_define
class Refund:
    """ One accepted refund on ``transaction_topic``, keyed by its purchase's customer token.

        Attributes:
            schema (str): Message version
            kind (Kind): Kind of message on the topic; erasures and refunds come in offset order like any event.
            refund_id (str): source:id of the refund, unique
            transaction_id (str): source:id of the purchase
            purchased_at_ms (int): event_at_ms of the purchase; epoch ms UTC
            refunded_at_ms (int): When the money was given back; epoch ms UTC
            customer_token (str): Customer
            amount_minor (int): Amount given back; minor units
            currency (str): ISO 4217 code of amount_minor
            amount_eur_cents (int): At the rate of the purchase's day; euro cents
            rate_on (str): Day of the exchange rate
            reason (RefundReason): Why the money is not the merchant's.
     """

    schema: str
    kind: Kind
    refund_id: str
    transaction_id: str
    purchased_at_ms: int
    refunded_at_ms: int
    customer_token: str
    amount_minor: int
    currency: str
    amount_eur_cents: int
    rate_on: str
    reason: RefundReason
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        schema = self.schema

        kind = self.kind.value

        refund_id = self.refund_id

        transaction_id = self.transaction_id

        purchased_at_ms = self.purchased_at_ms

        refunded_at_ms = self.refunded_at_ms

        customer_token = self.customer_token

        amount_minor = self.amount_minor

        currency = self.currency

        amount_eur_cents = self.amount_eur_cents

        rate_on = self.rate_on

        reason = self.reason.value


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "schema": schema,
            "kind": kind,
            "refund_id": refund_id,
            "transaction_id": transaction_id,
            "purchased_at_ms": purchased_at_ms,
            "refunded_at_ms": refunded_at_ms,
            "customer_token": customer_token,
            "amount_minor": amount_minor,
            "currency": currency,
            "amount_eur_cents": amount_eur_cents,
            "rate_on": rate_on,
            "reason": reason,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        schema = d.pop("schema")

        kind = Kind(d.pop("kind"))




        refund_id = d.pop("refund_id")

        transaction_id = d.pop("transaction_id")

        purchased_at_ms = d.pop("purchased_at_ms")

        refunded_at_ms = d.pop("refunded_at_ms")

        customer_token = d.pop("customer_token")

        amount_minor = d.pop("amount_minor")

        currency = d.pop("currency")

        amount_eur_cents = d.pop("amount_eur_cents")

        rate_on = d.pop("rate_on")

        reason = RefundReason(d.pop("reason"))




        refund = cls(
            schema=schema,
            kind=kind,
            refund_id=refund_id,
            transaction_id=transaction_id,
            purchased_at_ms=purchased_at_ms,
            refunded_at_ms=refunded_at_ms,
            customer_token=customer_token,
            amount_minor=amount_minor,
            currency=currency,
            amount_eur_cents=amount_eur_cents,
            rate_on=rate_on,
            reason=reason,
        )


        refund.additional_properties = d
        return refund

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
