"""Fields of purchases and refunds that a mapping can fill, and the bounds of their values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from fraudwatch.domain.messages.fields import Column, columns_of, problems
from fraudwatch.domain.messages.purchase import EARLIEST_EVENT_MS, Channel, PaymentStatus, Purchase
from fraudwatch.domain.messages.refund import ReportedRefund


@dataclass(frozen=True)
class MessageFields:
    """Fields of one kind of message; ``sample`` is a valid one.

    ``times`` are read as instants, the first from the row's own time. A constant would make the
    ``varying`` fields meaningless.
    """

    name: str
    sample: Purchase | ReportedRefund
    times: tuple[str, ...]
    varying: tuple[str, ...]

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Columns of the message by name, in its order."""
        found = columns_of(type(self.sample))  # type: ignore[arg-type]  # mypy: a class's hash
        return {column.name: column for column in found}

    @property
    def required(self) -> tuple[str, ...]:
        """Fields that every message of this kind has."""
        return tuple(name for name, column in self.columns.items() if not column.has_default)

    @property
    def numeric(self) -> tuple[str, ...]:
        """Fields that are numbers, and so may be computed."""
        return tuple(n for n, column in self.columns.items() if column.type in (int, float))

    def refusal_of(self, field: str, value: Any) -> str | None:
        """Return why this value is invalid for this field, or None."""
        kind = self.columns[field].type
        try:
            typed = kind(value)
        except ValueError:
            members = getattr(kind, "__members__", {}).values()
            return f"must be one of {', '.join(members)}" if members else f"must be {kind.__name__}"
        found = problems(replace(self.sample, **{field: typed}))
        return found[0].reason if found else None


PURCHASE = MessageFields(
    name="purchase",
    sample=Purchase(
        source="sample",
        id="1",
        event_at_ms=EARLIEST_EVENT_MS,
        customer_id="c",
        amount_minor=0,
        currency="EUR",
        payment_status=PaymentStatus.APPROVED,
        channel=Channel.PRESENT,
        merchant_id="m",
    ),
    times=("event_at_ms",),
    varying=("id", "event_at_ms", "customer_id", "amount_minor"),
)
REFUND = MessageFields(
    name="refund",
    sample=ReportedRefund(
        source="sample",
        id="1",
        purchase_id="1",
        purchased_at_ms=EARLIEST_EVENT_MS,
        refunded_at_ms=EARLIEST_EVENT_MS,
        customer_id="c",
        amount_minor=1,
        currency="EUR",
    ),
    times=("refunded_at_ms", "purchased_at_ms"),
    varying=(
        "id",
        "purchase_id",
        "purchased_at_ms",
        "refunded_at_ms",
        "customer_id",
        "amount_minor",
    ),
)
# A refund row has these from the mapping's fields, unless the mapping gives its own.
SHARED = ("source", "id", "customer_id", "amount_minor", "currency")
