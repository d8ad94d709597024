from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.label_report_verdict import LabelReportVerdict






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
     """

    source: str
    id: str
    verdict: LabelReportVerdict
    by: str
    known_at_ms: int





    def to_dict(self) -> dict[str, Any]:
        source = self.source

        id = self.id

        verdict = self.verdict.value

        by = self.by

        known_at_ms = self.known_at_ms


        field_dict: dict[str, Any] = {}

        field_dict.update({
            "source": source,
            "id": id,
            "verdict": verdict,
            "by": by,
            "known_at_ms": known_at_ms,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        source = d.pop("source")

        id = d.pop("id")

        verdict = LabelReportVerdict(d.pop("verdict"))




        by = d.pop("by")

        known_at_ms = d.pop("known_at_ms")

        label_report = cls(
            source=source,
            id=id,
            verdict=verdict,
            by=by,
            known_at_ms=known_at_ms,
        )

        return label_report

