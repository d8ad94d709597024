from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.label_value import LabelValue
from ..models.source import Source
from typing import cast






T = TypeVar("T", bound="Label")



@_attrs_define
class Label:
    """ One label on ``labels_topic``, keyed by transaction id.

        Attributes:
            schema (str): Message version
            transaction_id (str): The labelled transaction
            verdict (LabelValue): Value of a label: what a purchase turned out to be.
            source (Source): Source of a label: an analyst, or the payment system, by what became of a purchase there.

                Of several sources the later label counts, so a won dispute overrules its chargeback.
            by (str): Labelled by: a login or a department
            known_at_ms (int): When it became known; epoch ms UTC
            note (None | str): Why, in an analyst's words; no names, no numbers of cards
            reason_code (None | str): The card scheme's code of a chargeback
     """

    schema: str
    transaction_id: str
    verdict: LabelValue
    source: Source
    by: str
    known_at_ms: int
    note: None | str
    reason_code: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        schema = self.schema

        transaction_id = self.transaction_id

        verdict = self.verdict.value

        source = self.source.value

        by = self.by

        known_at_ms = self.known_at_ms

        note: None | str
        note = self.note

        reason_code: None | str
        reason_code = self.reason_code


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "schema": schema,
            "transaction_id": transaction_id,
            "verdict": verdict,
            "source": source,
            "by": by,
            "known_at_ms": known_at_ms,
            "note": note,
            "reason_code": reason_code,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        schema = d.pop("schema")

        transaction_id = d.pop("transaction_id")

        verdict = LabelValue(d.pop("verdict"))




        source = Source(d.pop("source"))




        by = d.pop("by")

        known_at_ms = d.pop("known_at_ms")

        def _parse_note(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        note = _parse_note(d.pop("note"))


        def _parse_reason_code(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        reason_code = _parse_reason_code(d.pop("reason_code"))


        label = cls(
            schema=schema,
            transaction_id=transaction_id,
            verdict=verdict,
            source=source,
            by=by,
            known_at_ms=known_at_ms,
            note=note,
            reason_code=reason_code,
        )


        label.additional_properties = d
        return label

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
