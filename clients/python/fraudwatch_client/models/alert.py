from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.channel import Channel
from ..models.outcome import Outcome
from ..models.payment_status import PaymentStatus
from ..models.risk import Risk
from typing import cast

if TYPE_CHECKING:
  from ..models.reason import Reason





T = TypeVar("T", bound="Alert")



@_attrs_define
class Alert:
    """ One alert, as a list shows it.

        Attributes:
            transaction_id (str): The transaction that was scored
            customer_token (str): Customer
            outcome (Outcome): Outcome for the shop; members are ordered from lenient to strict.
            risk (Risk): Risk level of a score; members are ordered by severity.
            score (float): With a model the calibrated probability of fraud; without, points of rules: 0 .. 1
            reasons (list[Reason]): Reasons, most points first
            decided_at_ms (int): Spark's time of the micro-batch; epoch ms UTC
            event_at_ms (int): When the purchase happened; epoch ms UTC
            amount_minor (int): Amount as charged; minor units
            currency (str): ISO 4217 code of amount_minor
            amount_eur_cents (int): Amount in euro; euro cents
            payment_status (PaymentStatus): Answer of the payment system; failed attempts are messages as well.
            channel (Channel): Whether the card was present at the terminal.
            merchant_id (str): Merchant
            category (None | str): Category of goods
            merchant_country (None | str): Merchant's country
            card_last4 (None | str): Last four digits
     """

    transaction_id: str
    customer_token: str
    outcome: Outcome
    risk: Risk
    score: float
    reasons: list[Reason]
    decided_at_ms: int
    event_at_ms: int
    amount_minor: int
    currency: str
    amount_eur_cents: int
    payment_status: PaymentStatus
    channel: Channel
    merchant_id: str
    category: None | str
    merchant_country: None | str
    card_last4: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.reason import Reason # noqa: PLC0415
        transaction_id = self.transaction_id

        customer_token = self.customer_token

        outcome = self.outcome.value

        risk = self.risk.value

        score = self.score

        reasons = []
        for reasons_item_data in self.reasons:
            reasons_item = reasons_item_data.to_dict()
            reasons.append(reasons_item)



        decided_at_ms = self.decided_at_ms

        event_at_ms = self.event_at_ms

        amount_minor = self.amount_minor

        currency = self.currency

        amount_eur_cents = self.amount_eur_cents

        payment_status = self.payment_status.value

        channel = self.channel.value

        merchant_id = self.merchant_id

        category: None | str
        category = self.category

        merchant_country: None | str
        merchant_country = self.merchant_country

        card_last4: None | str
        card_last4 = self.card_last4


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "transaction_id": transaction_id,
            "customer_token": customer_token,
            "outcome": outcome,
            "risk": risk,
            "score": score,
            "reasons": reasons,
            "decided_at_ms": decided_at_ms,
            "event_at_ms": event_at_ms,
            "amount_minor": amount_minor,
            "currency": currency,
            "amount_eur_cents": amount_eur_cents,
            "payment_status": payment_status,
            "channel": channel,
            "merchant_id": merchant_id,
            "category": category,
            "merchant_country": merchant_country,
            "card_last4": card_last4,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.reason import Reason # noqa: PLC0415
        d = dict(src_dict)
        transaction_id = d.pop("transaction_id")

        customer_token = d.pop("customer_token")

        outcome = Outcome(d.pop("outcome"))




        risk = Risk(d.pop("risk"))




        score = d.pop("score")

        reasons = []
        _reasons = d.pop("reasons")
        for reasons_item_data in (_reasons):
            reasons_item = Reason.from_dict(reasons_item_data)



            reasons.append(reasons_item)


        decided_at_ms = d.pop("decided_at_ms")

        event_at_ms = d.pop("event_at_ms")

        amount_minor = d.pop("amount_minor")

        currency = d.pop("currency")

        amount_eur_cents = d.pop("amount_eur_cents")

        payment_status = PaymentStatus(d.pop("payment_status"))




        channel = Channel(d.pop("channel"))




        merchant_id = d.pop("merchant_id")

        def _parse_category(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        category = _parse_category(d.pop("category"))


        def _parse_merchant_country(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        merchant_country = _parse_merchant_country(d.pop("merchant_country"))


        def _parse_card_last4(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        card_last4 = _parse_card_last4(d.pop("card_last4"))


        alert = cls(
            transaction_id=transaction_id,
            customer_token=customer_token,
            outcome=outcome,
            risk=risk,
            score=score,
            reasons=reasons,
            decided_at_ms=decided_at_ms,
            event_at_ms=event_at_ms,
            amount_minor=amount_minor,
            currency=currency,
            amount_eur_cents=amount_eur_cents,
            payment_status=payment_status,
            channel=channel,
            merchant_id=merchant_id,
            category=category,
            merchant_country=merchant_country,
            card_last4=card_last4,
        )


        alert.additional_properties = d
        return alert

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
