from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
  from ..models.alert_detail_features_type_0 import AlertDetailFeaturesType0
  from ..models.label import Label
  from ..models.purchase import Purchase
  from ..models.refund import Refund
  from ..models.verdict import Verdict





T = TypeVar("T", bound="AlertDetail")



@_attrs_define
class AlertDetail:
    """ One alert with everything that is stored about it.

        Attributes:
            verdict (Verdict): One verdict on ``fraud_topic``, keyed by customer token.
            purchase (None | Purchase): Null: not stored yet, or any more
            features (AlertDetailFeaturesType0 | None): Features by name, if asked for and still on the log; null: unknown
            labels (list[Label]): All labels, latest first
            refunds (list[Refund]): What was refunded, latest first
     """

    verdict: Verdict
    purchase: None | Purchase
    features: AlertDetailFeaturesType0 | None
    labels: list[Label]
    refunds: list[Refund]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.alert_detail_features_type_0 import AlertDetailFeaturesType0 # noqa: PLC0415
        from ..models.label import Label # noqa: PLC0415
        from ..models.purchase import Purchase # noqa: PLC0415
        from ..models.refund import Refund # noqa: PLC0415
        from ..models.verdict import Verdict # noqa: PLC0415
        verdict = self.verdict.to_dict()

        purchase: dict[str, Any] | None
        if isinstance(self.purchase, Purchase):
            purchase = self.purchase.to_dict()
        else:
            purchase = self.purchase

        features: dict[str, Any] | None
        if isinstance(self.features, AlertDetailFeaturesType0):
            features = self.features.to_dict()
        else:
            features = self.features

        labels = []
        for labels_item_data in self.labels:
            labels_item = labels_item_data.to_dict()
            labels.append(labels_item)



        refunds = []
        for refunds_item_data in self.refunds:
            refunds_item = refunds_item_data.to_dict()
            refunds.append(refunds_item)




        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "verdict": verdict,
            "purchase": purchase,
            "features": features,
            "labels": labels,
            "refunds": refunds,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.alert_detail_features_type_0 import AlertDetailFeaturesType0 # noqa: PLC0415
        from ..models.label import Label # noqa: PLC0415
        from ..models.purchase import Purchase # noqa: PLC0415
        from ..models.refund import Refund # noqa: PLC0415
        from ..models.verdict import Verdict # noqa: PLC0415
        d = dict(src_dict)
        verdict = Verdict.from_dict(d.pop("verdict"))




        def _parse_purchase(data: object) -> None | Purchase:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                purchase_type_0 = Purchase.from_dict(data)



                return purchase_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Purchase, data)

        purchase = _parse_purchase(d.pop("purchase"))


        def _parse_features(data: object) -> AlertDetailFeaturesType0 | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                features_type_0 = AlertDetailFeaturesType0.from_dict(data)



                return features_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AlertDetailFeaturesType0 | None, data)

        features = _parse_features(d.pop("features"))


        labels = []
        _labels = d.pop("labels")
        for labels_item_data in (_labels):
            labels_item = Label.from_dict(labels_item_data)



            labels.append(labels_item)


        refunds = []
        _refunds = d.pop("refunds")
        for refunds_item_data in (_refunds):
            refunds_item = Refund.from_dict(refunds_item_data)



            refunds.append(refunds_item)


        alert_detail = cls(
            verdict=verdict,
            purchase=purchase,
            features=features,
            labels=labels,
            refunds=refunds,
        )


        alert_detail.additional_properties = d
        return alert_detail

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
