"""Messages as rows of the tables under ``cassandra/migrations`` and back; pure, without the driver.

A table's columns follow from its message's fields: the same names, ``_at`` for ``_at_ms``. What a
table leaves out or adds stands here, and a test compares the result with the migrations.
"""

from __future__ import annotations

import calendar
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, get_args, get_origin

from fraudwatch.application.alerts import Alert
from fraudwatch.domain.fields import columns_of
from fraudwatch.domain.label import LABEL_SCHEMA, Label
from fraudwatch.domain.transaction import Transaction
from fraudwatch.domain.verdict import VERDICT_SCHEMA, Verdict

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
        return {**self.computed, **{_column(name): attrgetter(name) for name in self._plain}}

    @cached_property
    def _plain(self) -> tuple[str, ...]:
        """The fields that are columns as they are."""
        kept = (item.name for item in fields(self.message) if item.name not in self.left_out)
        return tuple(name for name in kept if _column(name) not in self.computed)

    @cached_property
    def _plain_values(self) -> Callable[[Any], tuple[Any, ...]]:
        # All at once: twice as fast as column by column, and every message comes through here.
        return attrgetter(*self._plain)

    def row(self, message: Any) -> tuple[Any, ...]:
        """The values of every column, None where unknown, then the write timestamp in µs.

        Times stay epoch milliseconds: the driver takes them as they are.
        """
        computed = [source(message) for source in self.computed.values()]
        written_at_us = getattr(message, self.written_at) * 1_000
        return (*computed, *self._plain_values(message), written_at_us)

    def partition_of(self, message: Any) -> tuple[Any, ...]:
        """Rows with an equal answer lie together and may share a batch."""
        return tuple(self.sources[name](message) for name in self.partition)


def hour_of(epoch_ms: int) -> int:
    """The start of the hour, in epoch ms UTC: the bucket of ``alert_by_hour``."""
    return epoch_ms // HOUR_MS * HOUR_MS


def month_of(epoch_ms: int) -> str:
    """The month as ``2026-11``, UTC: the bucket of ``transaction_by_customer``."""
    return time.strftime("%Y-%m", time.gmtime(epoch_ms // 1_000))


def day_of(epoch_ms: int) -> str:
    """The day as ``2026-11-21``, UTC: the bucket of ``transaction_by_merchant``."""
    return time.strftime("%Y-%m-%d", time.gmtime(epoch_ms // 1_000))


def _column(name: str) -> str:
    return name.removesuffix("_ms")


def parts_text(parts: tuple[Any, ...]) -> str:
    """Reasons, scores or contributions as one JSON text: the same parts, the same bytes."""
    if not parts:  # most verdicts
        return "[]"
    return json.dumps([asdict(one) for one in parts], ensure_ascii=False, separators=(",", ":"))


def _texts_of(*names: str) -> dict[str, Callable[[Any], str]]:
    return {name: _text_of(attrgetter(name)) for name in names}


def _text_of(parts_of: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any], str]:
    return lambda judged: parts_text(parts_of(judged))


VERDICTS = Table(
    name="verdict_by_transaction",
    message=Verdict,
    partition=("transaction_id",),
    written_at="decided_at_ms",
    left_out=frozenset({"schema"}),
    computed=_texts_of("reasons", "model_scores", "explanation"),
)
ALERTS = Table(
    name="alert_by_hour",
    message=Alert,
    partition=("hour_at", "risk"),
    written_at="decided_at_ms",
    computed={"hour_at": lambda alert: hour_of(alert.decided_at_ms), **_texts_of("reasons")},
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
MERCHANTS = Table(
    name="transaction_by_merchant",
    message=Transaction,
    partition=("merchant_id", "day"),
    written_at="event_at_ms",
    # Who bought with what, enough to see a tested card or a colluding shop; no more of the person.
    left_out=frozenset(
        {"schema", "kind", "rate_on", "item_count", "sealed", "merchant_country"}
        | {"purchase_latitude", "purchase_longitude", "billing_latitude", "billing_longitude"}
        | {"shipping_latitude", "shipping_longitude"}
    ),
    computed={"day": lambda transaction: day_of(transaction.event_at_ms)},
)
LABELS = Table(
    name="label_by_transaction",
    message=Label,
    partition=("transaction_id",),
    written_at="known_at_ms",
    # BY is a word of CQL's own.
    left_out=frozenset({"schema", "by"}),
    computed={"labelled_by": lambda label: label.by},
)
TABLES = (VERDICTS, ALERTS, TRANSACTIONS, MERCHANTS, LABELS)


def verdict_from(row: Mapping[str, Any]) -> Verdict:
    """The verdict that was written as this row of ``verdict_by_transaction``."""
    return Verdict(schema=VERDICT_SCHEMA, **_values(row, VERDICTS))


def alert_from(row: Mapping[str, Any]) -> Alert:
    """The alert that was written as this row of ``alert_by_hour``."""
    return Alert(**_values(row, ALERTS))


def label_from(row: Mapping[str, Any]) -> Label:
    """The label that was written as this row of ``label_by_transaction``."""
    return Label(schema=LABEL_SCHEMA, by=row["labelled_by"], **_values(row, LABELS))


def _values(row: Mapping[str, Any], table: Table) -> dict[str, Any]:
    names = [item.name for item in fields(table.message) if item.name not in table.left_out]
    return {name: _READ[name](row[_column(name)]) for name in names}


def _reading(kind: type[Any], name: str) -> Callable[[Any], Any]:
    if get_origin(kind) is tuple:
        part = get_args(kind)[0]
        # Rows of an earlier version lack what it did not know.
        return lambda text: tuple(part(**one) for one in json.loads(text or "[]"))
    if name == "route":
        return lambda text: text or ""
    if name.endswith("_at_ms"):
        return _epoch_ms
    return lambda value: None if value is None else kind(value)


def _epoch_ms(instant: datetime) -> int:
    # The driver answers with naive UTC instants; integers keep the millisecond exact.
    return calendar.timegm(instant.timetuple()) * 1_000 + instant.microsecond // 1_000


# An alert's fields are fields of the verdict, so one table of readings serves both.
_READ = {
    column.name: _reading(column.type, column.name)
    for message in (Verdict, Label)
    for column in columns_of(message)
}
