from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast






T = TypeVar("T", bound="Contribution")



@_attrs_define
class Contribution:
    """ One feature's contribution to a model's score.

        Attributes:
            feature (str): The feature's name
            value (float | None): Its value for this purchase; null unknown
            normal (float | None): Normal value: for this customer where known, else for all
            contribution (float): SHAP value in log-odds, or distance from the normal in spreads
     """

    feature: str
    value: float | None
    normal: float | None
    contribution: float
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        feature = self.feature

        value: float | None
        value = self.value

        normal: float | None
        normal = self.normal

        contribution = self.contribution


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "feature": feature,
            "value": value,
            "normal": normal,
            "contribution": contribution,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        feature = d.pop("feature")

        def _parse_value(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        value = _parse_value(d.pop("value"))


        def _parse_normal(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        normal = _parse_normal(d.pop("normal"))


        contribution = d.pop("contribution")

        contribution = cls(
            feature=feature,
            value=value,
            normal=normal,
            contribution=contribution,
        )


        contribution.additional_properties = d
        return contribution

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
