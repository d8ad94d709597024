"""Define the bodies of requests and, from the messages' own facts, the schemas of responses."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, create_model

from fraudwatch.application.console.alerts import ALERT_FIELDS, ALERT_RISKS
from fraudwatch.domain.messages.chargeback_reason import REASON_CODE
from fraudwatch.domain.messages.fields import Column, columns_of
from fraudwatch.domain.messages.label import OFFICE, Label, LabelValue
from fraudwatch.domain.messages.label import Source as LabelSource
from fraudwatch.domain.messages.purchase import (
    EARLIEST_EVENT_MS,
    IDENTIFIER,
    LATEST_EVENT_MS,
    LONGEST_ID,
    LONGEST_SOURCE,
    SOURCE_NAME,
)
from fraudwatch.domain.messages.refund import Refund
from fraudwatch.domain.messages.transaction import TOKEN_PATTERN, Transaction
from fraudwatch.domain.messages.verdict import Risk, Verdict

LONGEST_PAGE: Final = 200
USUAL_PAGE: Final = 50
LONGEST_CURSOR: Final = 300


def whole(pattern: str) -> str:
    """Anchor a pattern, so that it must match the whole text."""
    return f"^(?:{pattern})$"


TRANSACTION_ID: Final = whole(rf"{SOURCE_NAME}:{IDENTIFIER}")
Source = Annotated[
    str,
    Field(
        description="Which system reported the purchase",
        min_length=1,
        max_length=LONGEST_SOURCE,
        pattern=whole(SOURCE_NAME),
    ),
]
Instant = Annotated[int, Field(ge=EARLIEST_EVENT_MS, le=LATEST_EVENT_MS)]


class Customer(BaseModel):
    """A customer by the identifier of one source; it is tokenised at once and never stored."""

    model_config = ConfigDict(extra="forbid")
    source: Source
    customer_id: str = Field(
        description="The customer's id at that source", min_length=1, max_length=128, pattern=r"^\S"
    )


class AlertFilters(BaseModel):
    """Filters of a search for alerts; all that are given must match."""

    model_config = ConfigDict(extra="forbid")
    customer_token: str | None = Field(
        None, description="Of the customer with this token", pattern=whole(TOKEN_PATTERN)
    )
    merchant_id: str | None = Field(
        None, description="At this merchant", min_length=1, max_length=128, pattern=r"^\S"
    )
    rule: str | None = Field(
        None,
        description="With a reason of this rule or model",
        max_length=64,
        pattern=whole(r"[a-z0-9_]+"),
    )
    risk: list[Risk] = Field(
        list(ALERT_RISKS), description="Of one of these risk levels", min_length=1, max_length=4
    )
    since_ms: Instant | None = Field(
        None, description="Decided at or after, epoch ms UTC; default: all that are stored"
    )
    until_ms: Instant | None = Field(None, description="Decided before, epoch ms UTC")
    limit: int = Field(USUAL_PAGE, description="Alerts a page", ge=1, le=LONGEST_PAGE)
    cursor: str | None = Field(
        None,
        description="`next_cursor` of the page before, with the same filters",
        min_length=1,
        max_length=LONGEST_CURSOR,
        pattern=whole(r"[A-Za-z0-9_-]+"),
    )


class AlertSearch(AlertFilters):
    """Search for alerts, by a customer's own identifier as well."""

    customer: Customer | None = Field(
        None, description="Of this customer, instead of `customer_token`"
    )


class LabelReport(BaseModel):
    """Label of one purchase, as the payment system reports it."""

    model_config = ConfigDict(extra="forbid")
    source: Source
    id: str = Field(
        description="The purchase's id there",
        min_length=1,
        max_length=LONGEST_ID,
        pattern=whole(IDENTIFIER),
    )
    verdict: typing.Literal[LabelValue.FRAUD, LabelValue.GENUINE] = Field(
        description="A chargeback is `fraud`, a withdrawn one is `genuine`"
    )
    by: str = Field(
        description="The reporting department", min_length=1, max_length=64, pattern=whole(OFFICE)
    )
    known_at_ms: Instant = Field(
        description="Since when it is known, epoch ms UTC: a report sent again changes nothing"
    )
    kind: typing.Literal[
        LabelSource.CHARGEBACK, LabelSource.WON_DISPUTE, LabelSource.FRIENDLY_FRAUD
    ] = Field(
        LabelSource.CHARGEBACK,
        description="What became of the purchase; a won dispute and friendly fraud are `genuine`",
    )
    reason_code: str | None = Field(
        None,
        description="The card scheme's code of the chargeback: `10.4`, `4837`. One that is no "
        "claim of fraud is refused for a label of fraud",
        pattern=whole(REASON_CODE),
    )


class LabelResult(BaseModel):
    """Counts of a report: accepted now, or accepted before."""

    accepted: int
    repeated: int


class BrokenField(BaseModel):
    """One field that is missing or invalid; its value is never quoted."""

    index: int
    code: str
    field: str
    reason: str


class Problem(BaseModel):
    """Error by RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    problems: list[BrokenField] | None = None


class Status(BaseModel):
    """Status of the process; `unavailable` has a reason for each engine that does not answer."""

    status: str
    unavailable: dict[str, str] = {}


def _field(column: Column) -> tuple[Any, Any]:
    rule = column.fact
    meaning = f"{rule.meaning}; {rule.unit}" if rule.unit else rule.meaning
    kind: Any = column.type
    if typing.get_origin(kind) is tuple:
        kind = list[_model_of(typing.get_args(kind)[0])]  # type: ignore[misc]  # built at run time
    elif kind in (int, float):
        kind = Annotated[kind, Field(ge=rule.minimum, le=rule.maximum)]
    elif kind is str:
        pattern = rule.pattern and whole(rule.pattern)
        kind = Annotated[kind, Field(max_length=rule.max_length, pattern=pattern)]
    # Every field is present in a response, unknown ones as null. The model has a method `schema`.
    field = Field(description=meaning, alias="schema" if column.name == "schema" else None)
    return (kind | None if column.is_optional else kind), field


def _model(
    name: str, message: type[Any], about: str, is_shown: Callable[[str], bool]
) -> type[BaseModel]:
    columns: Iterable[Column] = columns_of(message)  # type: ignore[arg-type]  # mypy: a class's hash
    fields: Mapping[str, Any] = {
        ("schema_" if one.name == "schema" else one.name): _field(one)
        for one in columns
        if is_shown(one.name)
    }
    model: type[BaseModel] = create_model(name, __doc__=about, **fields)
    return model


@cache
def _model_of(message: type[Any]) -> type[BaseModel]:
    about = (message.__doc__ or "").split("\n\n")[0]
    return _model(message.__name__, message, about, lambda _: True)


def _or_null(model: type[BaseModel]) -> Any:
    return model | None


VerdictBody: Final = _model_of(Verdict)
LabelBody: Final = _model_of(Label)
RefundBody: Final = _model_of(Refund)
AlertBody: Final = _model(
    "Alert", Verdict, "One alert, as a list shows it.", lambda name: name in ALERT_FIELDS
)
# Nobody but the edge opens sealed fields, so none leave.
PurchaseBody: Final = _model(
    "Purchase",
    Transaction,
    "The scored purchase, without its sealed fields.",
    lambda name: name != "sealed",
)
PURCHASE_FIELDS: Final = tuple(c.name for c in columns_of(Transaction) if c.name != "sealed")

AlertPageBody: Final = create_model(
    "AlertPage",
    __doc__="One page of alerts, latest first.",
    alerts=(list[AlertBody], Field(description="May be fewer than asked for, even none")),  # type: ignore[valid-type]  # built at run time
    next_cursor=(str | None, Field(description="Cursor of the next page; null: no more alerts")),
)
AlertDetailBody: Final = create_model(
    "AlertDetail",
    __doc__="One alert with everything that is stored about it.",
    verdict=(VerdictBody, Field(description="With reasons and, from HIGH on, the explanation")),
    purchase=(_or_null(PurchaseBody), Field(description="Null: not stored yet, or any more")),
    features=(
        dict[str, float | None] | None,
        Field(description="Features by name, if asked for and still on the log; null: unknown"),
    ),
    labels=(list[LabelBody], Field(description="All labels, latest first")),  # type: ignore[valid-type]  # built at run time
    refunds=(list[RefundBody], Field(description="What was refunded, latest first")),  # type: ignore[valid-type]  # built at run time
)
