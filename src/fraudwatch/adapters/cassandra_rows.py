"""Messages as rows of the tables under ``cassandra/migrations`` and back; pure, without the driver.

A table's columns follow from its message's fields: the same names, ``_at`` for ``_at_ms``. What a
table leaves out or adds stands here, and a test compares the result with the migrations.
"""

from __future__ import annotations

import calendar
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cached_property
from typing import Any

from fraudwatch.application.alerts import Alert
from fraudwatch.domain.fields import columns_of
from fraudwatch.domain.transaction import Transaction
from fraudwatch.domain.verdict import VERDICT_SCHEMA, Reason, Verdict

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Table:
    """How one message type becomes rows of one table."""

    name: str
    message: type[Any]
    partition: tuple[str, ...]
    """The message's fields or computed columns that decide which rows lie together."""
    written_at: str
    """The field, in epoch ms, that is the rows' write timestamp: the later one wins."""
    left_out: frozenset[str] = frozenset()
    computed: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)

    @cached_property
    def sources(self) -> dict[str, Callable[[Any], Any]]:
        """Where each column's value comes from, in the order of :meth:`row`."""
        kept = [item.name for item in fields(self.message) if item.name not in self.left_out]
        return {**self.computed, **{_column(name): _reader(name) for name in kept}}

    def row(self, message: Any) -> tuple[Any, ...]:
        """The values of every column, None where unknown, then the write timestamp in µs.

        Times stay epoch milliseconds: the driver takes them as they are.
        """
        values = [source(message) for source in self.sources.values()]
        return (*values, getattr(message, self.written_at) * 1_000)

    def partition_of(self, message: Any) -> tuple[Any, ...]:
        """Rows with an equal answer lie together and may share a batch."""
        return tuple(self.sources[name](message) for name in self.partition)


def hour_of(epoch_ms: int) -> int:
    """The start of the hour, in epoch ms UTC: the bucket of ``alert_by_hour``."""
    return epoch_ms // HOUR_MS * HOUR_MS


def month_of(epoch_ms: int) -> str:
    """The month as ``2026-11``, UTC: the bucket of ``transaction_by_customer``."""
    return time.strftime("%Y-%m", time.gmtime(epoch_ms // 1_000))


def _column(name: str) -> str:
    return name.removesuffix("_ms")


def _reader(name: str) -> Callable[[Any], Any]:
    if name == "reasons":
        return lambda message: reasons_text(message.reasons)
    return lambda message: getattr(message, name)


def reasons_text(reasons: tuple[Reason, ...]) -> str:
    """Reasons as one JSON text: the same reasons, the same bytes."""
    listed = [{"rule": r.rule, "points": r.points, "text": r.text} for r in reasons]
    return json.dumps(listed, ensure_ascii=False, separators=(",", ":"))


VERDICTS = Table(
    name="verdict_by_transaction",
    message=Verdict,
    partition=("transaction_id",),
    written_at="decided_at_ms",
    left_out=frozenset({"schema"}),
)
ALERTS = Table(
    name="alert_by_hour",
    message=Alert,
    partition=("hour_at", "risk"),
    written_at="decided_at_ms",
    computed={"hour_at": lambda alert: hour_of(alert.decided_at_ms)},
)
TRANSACTIONS = Table(
    name="transaction_by_customer",
    message=Transaction,
    partition=("customer_token", "month"),
    written_at="event_at_ms",
    # What a customer's list does not show; the lake keeps all of it.
    left_out=frozenset(
        {"schema", "kind", "rate_on", "card_bin"}
        | {"billing_latitude", "billing_longitude", "shipping_latitude", "shipping_longitude"}
    ),
    computed={"month": lambda transaction: month_of(transaction.event_at_ms)},
)
TABLES = (VERDICTS, ALERTS, TRANSACTIONS)


def verdict_from(row: Mapping[str, Any]) -> Verdict:
    """The verdict that was written as this row of ``verdict_by_transaction``."""
    return Verdict(schema=VERDICT_SCHEMA, **_values(row, VERDICTS))


def alert_from(row: Mapping[str, Any]) -> Alert:
    """The alert that was written as this row of ``alert_by_hour``."""
    return Alert(**_values(row, ALERTS))


def _values(row: Mapping[str, Any], table: Table) -> dict[str, Any]:
    names = [item.name for item in fields(table.message) if item.name not in table.left_out]
    return {name: _READ[name](row[_column(name)]) for name in names}


def _reading(kind: type[Any], name: str) -> Callable[[Any], Any]:
    if name == "reasons":
        return lambda text: tuple(Reason(**reason) for reason in json.loads(text))
    if name.endswith("_at_ms"):
        return _epoch_ms
    return lambda value: None if value is None else kind(value)


def _epoch_ms(instant: datetime) -> int:
    # The driver answers with naive UTC instants; integers keep the millisecond exact.
    return calendar.timegm(instant.timetuple()) * 1_000 + instant.microsecond // 1_000


# An alert's fields are fields of the verdict, so one table of readings serves both.
_READ = {column.name: _reading(column.type, column.name) for column in columns_of(Verdict)}
