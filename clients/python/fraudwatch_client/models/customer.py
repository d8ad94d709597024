from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset







T = TypeVar("T", bound="Customer")



@_attrs_define
class Customer:
    """ A customer by the identifier of one source; it is tokenised at once and never stored.

        Attributes:
            source (str): Which system reported the purchase
            customer_id (str): The customer's id at that source
     """

    source: str
    customer_id: str





    def to_dict(self) -> dict[str, Any]:
        source = self.source

        customer_id = self.customer_id


        field_dict: dict[str, Any] = {}

        field_dict.update({
            "source": source,
            "customer_id": customer_id,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        source = d.pop("source")

        customer_id = d.pop("customer_id")

        customer = cls(
            source=source,
            customer_id=customer_id,
        )

        return customer

