from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.risk import Risk
from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
  from ..models.customer import Customer





T = TypeVar("T", bound="AlertSearch")



@_attrs_define
class AlertSearch:
    """ Search for alerts, by a customer's own identifier as well.

        Attributes:
            customer_token (None | str | Unset): Of the customer with this token
            merchant_id (None | str | Unset): At this merchant
            rule (None | str | Unset): With a reason of this rule or model
            risk (list[Risk] | Unset): Of one of these risk levels
            since_ms (int | None | Unset): Decided at or after, epoch ms UTC; default: all that are stored
            until_ms (int | None | Unset): Decided before, epoch ms UTC
            limit (int | Unset): Alerts a page Default: 50.
            cursor (None | str | Unset): `next_cursor` of the page before, with the same filters
            customer (Customer | None | Unset): Of this customer, instead of `customer_token`
     """

    customer_token: None | str | Unset = UNSET
    merchant_id: None | str | Unset = UNSET
    rule: None | str | Unset = UNSET
    risk: list[Risk] | Unset = UNSET
    since_ms: int | None | Unset = UNSET
    until_ms: int | None | Unset = UNSET
    limit: int | Unset = 50
    cursor: None | str | Unset = UNSET
    customer: Customer | None | Unset = UNSET





    def to_dict(self) -> dict[str, Any]:
        from ..models.customer import Customer # noqa: PLC0415
        customer_token: None | str | Unset
        if isinstance(self.customer_token, Unset):
            customer_token = UNSET
        else:
            customer_token = self.customer_token

        merchant_id: None | str | Unset
        if isinstance(self.merchant_id, Unset):
            merchant_id = UNSET
        else:
            merchant_id = self.merchant_id

        rule: None | str | Unset
        if isinstance(self.rule, Unset):
            rule = UNSET
        else:
            rule = self.rule

        risk: list[str] | Unset = UNSET
        if not isinstance(self.risk, Unset):
            risk = []
            for risk_item_data in self.risk:
                risk_item = risk_item_data.value
                risk.append(risk_item)



        since_ms: int | None | Unset
        if isinstance(self.since_ms, Unset):
            since_ms = UNSET
        else:
            since_ms = self.since_ms

        until_ms: int | None | Unset
        if isinstance(self.until_ms, Unset):
            until_ms = UNSET
        else:
            until_ms = self.until_ms

        limit = self.limit

        cursor: None | str | Unset
        if isinstance(self.cursor, Unset):
            cursor = UNSET
        else:
            cursor = self.cursor

        customer: dict[str, Any] | None | Unset
        if isinstance(self.customer, Unset):
            customer = UNSET
        elif isinstance(self.customer, Customer):
            customer = self.customer.to_dict()
        else:
            customer = self.customer


        field_dict: dict[str, Any] = {}

        field_dict.update({
        })
        if customer_token is not UNSET:
            field_dict["customer_token"] = customer_token
        if merchant_id is not UNSET:
            field_dict["merchant_id"] = merchant_id
        if rule is not UNSET:
            field_dict["rule"] = rule
        if risk is not UNSET:
            field_dict["risk"] = risk
        if since_ms is not UNSET:
            field_dict["since_ms"] = since_ms
        if until_ms is not UNSET:
            field_dict["until_ms"] = until_ms
        if limit is not UNSET:
            field_dict["limit"] = limit
        if cursor is not UNSET:
            field_dict["cursor"] = cursor
        if customer is not UNSET:
            field_dict["customer"] = customer

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.customer import Customer # noqa: PLC0415
        d = dict(src_dict)
        def _parse_customer_token(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        customer_token = _parse_customer_token(d.pop("customer_token", UNSET))


        def _parse_merchant_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        merchant_id = _parse_merchant_id(d.pop("merchant_id", UNSET))


        def _parse_rule(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        rule = _parse_rule(d.pop("rule", UNSET))


        _risk = d.pop("risk", UNSET)
        risk: list[Risk] | Unset = UNSET
        if _risk is not UNSET:
            risk = []
            for risk_item_data in _risk:
                risk_item = Risk(risk_item_data)



                risk.append(risk_item)


        def _parse_since_ms(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        since_ms = _parse_since_ms(d.pop("since_ms", UNSET))


        def _parse_until_ms(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        until_ms = _parse_until_ms(d.pop("until_ms", UNSET))


        limit = d.pop("limit", UNSET)

        def _parse_cursor(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        cursor = _parse_cursor(d.pop("cursor", UNSET))


        def _parse_customer(data: object) -> Customer | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                customer_type_0 = Customer.from_dict(data)



                return customer_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Customer | None | Unset, data)

        customer = _parse_customer(d.pop("customer", UNSET))


        alert_search = cls(
            customer_token=customer_token,
            merchant_id=merchant_id,
            rule=rule,
            risk=risk,
            since_ms=since_ms,
            until_ms=until_ms,
            limit=limit,
            cursor=cursor,
            customer=customer,
        )

        return alert_search

