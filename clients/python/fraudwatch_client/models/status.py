from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
  from ..models.status_unavailable import StatusUnavailable





T = TypeVar("T", bound="Status")



@_attrs_define
class Status:
    """ Status of the process; `unavailable` has a reason for each engine that does not answer.

        Attributes:
            status (str):
            unavailable (StatusUnavailable | Unset):
     """

    status: str
    unavailable: StatusUnavailable | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.status_unavailable import StatusUnavailable # noqa: PLC0415
        status = self.status

        unavailable: dict[str, Any] | Unset = UNSET
        if not isinstance(self.unavailable, Unset):
            unavailable = self.unavailable.to_dict()


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "status": status,
        })
        if unavailable is not UNSET:
            field_dict["unavailable"] = unavailable

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.status_unavailable import StatusUnavailable # noqa: PLC0415
        d = dict(src_dict)
        status = d.pop("status")

        _unavailable = d.pop("unavailable", UNSET)
        unavailable: StatusUnavailable | Unset
        if isinstance(_unavailable,  Unset):
            unavailable = UNSET
        else:
            unavailable = StatusUnavailable.from_dict(_unavailable)




        status = cls(
            status=status,
            unavailable=unavailable,
        )


        status.additional_properties = d
        return status

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
