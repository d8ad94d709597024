from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.applied_default import AppliedDefault
from ..models.channel import Channel
from ..models.mode import Mode
from ..models.outcome import Outcome
from ..models.payment_status import PaymentStatus
from ..models.risk import Risk
from typing import cast

if TYPE_CHECKING:
  from ..models.contribution import Contribution
  from ..models.model_score import ModelScore
  from ..models.reason import Reason





T = TypeVar("T", bound="Verdict")



@_attrs_define
class Verdict:
    """ One verdict on ``fraud_topic``, keyed by customer token.

        Attributes:
            schema (str): Message version
            verdict_id (str): UUIDv5 of the transaction id
            transaction_id (str): The transaction that was scored
            customer_token (str): Customer
            outcome (Outcome): Outcome for the shop; members are ordered from lenient to strict.
            risk (Risk): Risk level of a score; members are ordered by severity.
            score (float): With a model the calibrated probability of fraud; without, points of rules: 0 .. 1
            mode (Mode): Parts that made the score; a verdict without a model is marked as such.

                With a model the score is its calibrated probability alone. WITH_ANOMALY_AND_MODEL is of
                verdicts from before that.
            reasons (list[Reason]): Reasons, most points first
            route (str): The queue of analysts; empty: none
            model_scores (list[ModelScore]): Scores of the models; empty: none
            explanation (list[Contribution]): For HIGH and above: the top contributing features, frozen at scoring time
            is_control (bool): Control group: reviewed although the score alone would decline it
            is_novel (bool): Reviewed for novelty: very unusual, although the model calls it harmless
            review_from_score (float | None): Score from which purchases were reviewed; none: no model
            decline_from_score (float | None): Score from which purchases were declined; none: by no score
            calibration (str): First twelve hex digits of the calibration of the score; empty: no model
            policy_version (str): Version of the policy
            features_version (str): Version of the feature vector
            risk_view (str): First twelve hex digits of the risk view it was scored with; empty: none was valid
            source_partition (int): Partition of the transaction in its topic
            source_offset (int): Offset of the transaction in its partition
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
            content_hash (None | str): Keyed hash of the purchase as it was sent; none: it came before there was one
            applied_default (AppliedDefault | None): What the source applied when no verdict came in time; none: it was not
                needed
     """

    schema: str
    verdict_id: str
    transaction_id: str
    customer_token: str
    outcome: Outcome
    risk: Risk
    score: float
    mode: Mode
    reasons: list[Reason]
    route: str
    model_scores: list[ModelScore]
    explanation: list[Contribution]
    is_control: bool
    is_novel: bool
    review_from_score: float | None
    decline_from_score: float | None
    calibration: str
    policy_version: str
    features_version: str
    risk_view: str
    source_partition: int
    source_offset: int
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
    content_hash: None | str
    applied_default: AppliedDefault | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)





    def to_dict(self) -> dict[str, Any]:
        from ..models.contribution import Contribution # noqa: PLC0415
        from ..models.model_score import ModelScore # noqa: PLC0415
        from ..models.reason import Reason # noqa: PLC0415
        schema = self.schema

        verdict_id = self.verdict_id

        transaction_id = self.transaction_id

        customer_token = self.customer_token

        outcome = self.outcome.value

        risk = self.risk.value

        score = self.score

        mode = self.mode.value

        reasons = []
        for reasons_item_data in self.reasons:
            reasons_item = reasons_item_data.to_dict()
            reasons.append(reasons_item)



        route = self.route

        model_scores = []
        for model_scores_item_data in self.model_scores:
            model_scores_item = model_scores_item_data.to_dict()
            model_scores.append(model_scores_item)



        explanation = []
        for explanation_item_data in self.explanation:
            explanation_item = explanation_item_data.to_dict()
            explanation.append(explanation_item)



        is_control = self.is_control

        is_novel = self.is_novel

        review_from_score: float | None
        review_from_score = self.review_from_score

        decline_from_score: float | None
        decline_from_score = self.decline_from_score

        calibration = self.calibration

        policy_version = self.policy_version

        features_version = self.features_version

        risk_view = self.risk_view

        source_partition = self.source_partition

        source_offset = self.source_offset

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

        content_hash: None | str
        content_hash = self.content_hash

        applied_default: None | str
        if isinstance(self.applied_default, AppliedDefault):
            applied_default = self.applied_default.value
        else:
            applied_default = self.applied_default


        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({
            "schema": schema,
            "verdict_id": verdict_id,
            "transaction_id": transaction_id,
            "customer_token": customer_token,
            "outcome": outcome,
            "risk": risk,
            "score": score,
            "mode": mode,
            "reasons": reasons,
            "route": route,
            "model_scores": model_scores,
            "explanation": explanation,
            "is_control": is_control,
            "is_novel": is_novel,
            "review_from_score": review_from_score,
            "decline_from_score": decline_from_score,
            "calibration": calibration,
            "policy_version": policy_version,
            "features_version": features_version,
            "risk_view": risk_view,
            "source_partition": source_partition,
            "source_offset": source_offset,
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
            "content_hash": content_hash,
            "applied_default": applied_default,
        })

        return field_dict



    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.contribution import Contribution # noqa: PLC0415
        from ..models.model_score import ModelScore # noqa: PLC0415
        from ..models.reason import Reason # noqa: PLC0415
        d = dict(src_dict)
        schema = d.pop("schema")

        verdict_id = d.pop("verdict_id")

        transaction_id = d.pop("transaction_id")

        customer_token = d.pop("customer_token")

        outcome = Outcome(d.pop("outcome"))




        risk = Risk(d.pop("risk"))




        score = d.pop("score")

        mode = Mode(d.pop("mode"))




        reasons = []
        _reasons = d.pop("reasons")
        for reasons_item_data in (_reasons):
            reasons_item = Reason.from_dict(reasons_item_data)



            reasons.append(reasons_item)


        route = d.pop("route")

        model_scores = []
        _model_scores = d.pop("model_scores")
        for model_scores_item_data in (_model_scores):
            model_scores_item = ModelScore.from_dict(model_scores_item_data)



            model_scores.append(model_scores_item)


        explanation = []
        _explanation = d.pop("explanation")
        for explanation_item_data in (_explanation):
            explanation_item = Contribution.from_dict(explanation_item_data)



            explanation.append(explanation_item)


        is_control = d.pop("is_control")

        is_novel = d.pop("is_novel")

        def _parse_review_from_score(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        review_from_score = _parse_review_from_score(d.pop("review_from_score"))


        def _parse_decline_from_score(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        decline_from_score = _parse_decline_from_score(d.pop("decline_from_score"))


        calibration = d.pop("calibration")

        policy_version = d.pop("policy_version")

        features_version = d.pop("features_version")

        risk_view = d.pop("risk_view")

        source_partition = d.pop("source_partition")

        source_offset = d.pop("source_offset")

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


        def _parse_content_hash(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        content_hash = _parse_content_hash(d.pop("content_hash"))


        def _parse_applied_default(data: object) -> AppliedDefault | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                applied_default_type_0 = AppliedDefault(data)



                return applied_default_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AppliedDefault | None, data)

        applied_default = _parse_applied_default(d.pop("applied_default"))


        verdict = cls(
            schema=schema,
            verdict_id=verdict_id,
            transaction_id=transaction_id,
            customer_token=customer_token,
            outcome=outcome,
            risk=risk,
            score=score,
            mode=mode,
            reasons=reasons,
            route=route,
            model_scores=model_scores,
            explanation=explanation,
            is_control=is_control,
            is_novel=is_novel,
            review_from_score=review_from_score,
            decline_from_score=decline_from_score,
            calibration=calibration,
            policy_version=policy_version,
            features_version=features_version,
            risk_view=risk_view,
            source_partition=source_partition,
            source_offset=source_offset,
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
            content_hash=content_hash,
            applied_default=applied_default,
        )


        verdict.additional_properties = d
        return verdict

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
