from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.label_report_kind import LabelReportKind
from ..models.label_report_verdict import LabelReportVerdict
from ..types import UNSET, Unset
from typing import cast






T = TypeVar("T", bound="LabelReport")



@_attrs_define
class LabelReport:
    """ Label of one purchase, as the payment system reports it.

        Attributes:
            source (str): Which system reported the purchase
            id (str): The purchase's id there
            verdict (LabelReportVerdict): A chargeback is `fraud`, a withdrawn one is `genuine`
            by (str): The reporting department
            known_at_ms (int): Since when it is known, epoch ms UTC: a report sent again changes nothing
            kind (LabelReportKind | Unset): What became of the purchase; a won dispute and friendly fraud are `genuine`
                Default: LabelReportKind.CHARGEBACK.
            reason_code (None | str | Unset): The card scheme's code of the chargeback: `10.4`, `4837`. One that is no claim
                of fraud is refused for a label of fraud
     """

    source: str
    id: str
    verdict: LabelReportVerdict
    by: str
    known_at_ms: int
    kind: LabelReportKind | Unset = LabelReportKind.CHARGEBACK
    reason_code: None | str | Unset = UNSET





    def to_dict(self) -> dict[str, Any]:
        source = self.source

        id = self.id

        verdict = self.verdict.value

        by = self.by

        known_at_ms = self.known_at_ms

        kind: str | Unset = UNSET
        if not isinstance(self.kind, Unset):
            kind = self.kind.value


        reason_code: None | str | Unset
        if isinstance(self.reason_code, Unset):
            reason_code = UNSET
        else:
            reason_code = self.reason_code


        field_dict: dict[str, Any] = {}

        field_dict.update({
            "source": source,
            "id": id,
            "verdict": verdict,
            "by": by,
            "known_at_ms": known_at_ms,
        })
        if kind is not UNSET:
            field_dict["kind"] = kind
        if reason_code is not UNSET:
            field_dict["reason_code"] = reason_code

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        source = d.pop("source")

        id = d.pop("id")

        verdict = LabelReportVerdict(d.pop("verdict"))




        by = d.pop("by")

        known_at_ms = d.pop("known_at_ms")

        _kind = d.pop("kind", UNSET)
        kind: LabelReportKind | Unset
        if isinstance(_kind,  Unset):
            kind = UNSET
        else:
            kind = LabelReportKind(_kind)




        def _parse_reason_code(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        reason_code = _parse_reason_code(d.pop("reason_code", UNSET))


        label_report = cls(
            source=source,
            id=id,
            verdict=verdict,
            by=by,
            known_at_ms=known_at_ms,
            kind=kind,
            reason_code=reason_code,
        )

        return label_report

