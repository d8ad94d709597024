"""Fields that a mapping can fill, and the bounds of their values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fraudwatch.domain.messages.fields import columns_of, problems
from fraudwatch.domain.messages.purchase import EARLIEST_EVENT_MS, Channel, PaymentStatus, Purchase

COLUMNS = {column.name: column for column in columns_of(Purchase)}
REQUIRED = tuple(name for name, column in COLUMNS.items() if not column.has_default)
# A constant would make these fields meaningless.
VARYING = ("id", "event_at_ms", "customer_id", "amount_minor")
NUMERIC = tuple(name for name, column in COLUMNS.items() if column.type in (int, float))
_SAMPLE = Purchase(
    source="sample",
    id="1",
    event_at_ms=EARLIEST_EVENT_MS,
    customer_id="c",
    amount_minor=0,
    currency="EUR",
    payment_status=PaymentStatus.APPROVED,
    channel=Channel.PRESENT,
    merchant_id="m",
)


def refusal_of(field: str, value: Any) -> str | None:
    """Return why this value is invalid for this field of a purchase, or None."""
    kind = COLUMNS[field].type
    try:
        typed = kind(value)
    except ValueError:
        members = getattr(kind, "__members__", {}).values()
        return f"must be one of {', '.join(members)}" if members else f"must be {kind.__name__}"
    found = problems(replace(_SAMPLE, **{field: typed}))
    return found[0].reason if found else None
