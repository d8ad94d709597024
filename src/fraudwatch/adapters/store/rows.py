"""Map messages to rows of the tables in ``cassandra/migrations`` and back, without the driver.

A row has its key, the columns that are queried by hand or indexed, and the message itself as one
text: a column costs Cassandra more than its content (see docs/adr/0008). Alerts are read by the
page, so their fields are columns. A test compares all of this with the migrations.
"""

from __future__ import annotations

import calendar
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import Any, get_args, get_origin

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.application.console.alerts import ALERT_FIELDS, Alert, alert_of
from fraudwatch.domain.instants import day_of
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.fields import columns_of
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS


@dataclass(frozen=True)
class Table:
    """Mapping of one message type to rows of one table."""

    name: str
    message: type[Any]
    partition: tuple[str, ...]
    """Fields of the message or computed columns that form the partition key."""
    written_at: str
    """The field, in epoch ms, that is the rows' write timestamp: the later one wins."""
    plain: tuple[str, ...]
    """Fields that are columns without conversion."""
    computed: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    rank: Callable[[Any], int] = lambda _: 0
    """Below 1,000: of two messages of one key and millisecond the one of higher rank wins."""

    @cached_property
    def sources(self) -> dict[str, Callable[[Any], Any]]:
        """Getter of each column's value, in the order of :meth:`row`."""
        return {**self.computed, **{_column(name): attrgetter(name) for name in self.plain}}

    @cached_property
    def _plain_values(self) -> Callable[[Any], tuple[Any, ...]]:
        # All at once: twice as fast as column by column, on a hot path.
        return attrgetter(*self.plain)

    @cached_property
    def _computed_values(self) -> tuple[Callable[[Any], Any], ...]:
        return tuple(self.computed.values())

    @cached_property
    def _partition_places(self) -> tuple[int, ...]:
        columns = tuple(self.sources)
        return tuple(columns.index(name) for name in self.partition)

    def row(self, message: Any) -> tuple[Any, ...]:
        """Return the values of all columns, None where unknown, then the write timestamp in µs.

        Times stay epoch milliseconds.
        """
        computed = [source(message) for source in self._computed_values]
        written_at_us = getattr(message, self.written_at) * 1_000 + self.rank(message)
        return (*computed, *self._plain_values(message), written_at_us)

    def partition_in(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """Return the partition key of a row; rows with an equal one may share a batch."""
        return tuple([row[place] for place in self._partition_places])


def hour_of(epoch_ms: int) -> int:
    """Return the start of the hour, in epoch ms UTC: the bucket of ``alert_by_hour``."""
    return epoch_ms // HOUR_MS * HOUR_MS


def month_of(epoch_ms: int) -> str:
    """Return the month as ``2026-11``, UTC: the bucket of ``transaction_by_customer``."""
    return _month_of_day(epoch_ms // DAY_MS)


# Nearly all purchases of a batch are of one day.
@lru_cache(maxsize=1_000)
def _month_of_day(day: int) -> str:
    return time.strftime("%Y-%m", time.gmtime(day * DAY_MS // 1_000))


def _column(name: str) -> str:
    return name.removesuffix("_ms")


def _whole(message: Any) -> str:
    """Encode the message as one text; equal messages give equal bytes."""
    return encode(message).decode()


def _reasons_text(alert: Alert) -> str:
    listed = [asdict(reason) for reason in alert.reasons]
    return json.dumps(listed, ensure_ascii=False, separators=(",", ":"))


_LABEL_COLUMNS: Mapping[str, Callable[[Label], str]] = {
    # BY is a reserved word in CQL.
    "labelled_by": attrgetter("by"),
    # No note is an empty text: an unset cell would keep the note of an earlier label.
    "note": lambda label: label.note or "",
}
_RANKS = {truth: rank for rank, truth in enumerate(sorted(LabelValue))}


def _rank_of(label: Label) -> int:
    return _RANKS[label.verdict]


VERDICTS = Table(
    name="verdict_by_transaction",
    message=Verdict,
    partition=("transaction_id",),
    written_at="decided_at_ms",
    plain=("transaction_id", "decided_at_ms", "outcome", "risk", "score"),
    computed={"verdict": _whole},
)
ALERTS = Table(
    name="alert_by_hour",
    message=Alert,
    partition=("hour_at", "risk"),
    written_at="decided_at_ms",
    plain=tuple(name for name in ALERT_FIELDS if name != "reasons"),
    computed={"hour_at": lambda alert: hour_of(alert.decided_at_ms), "reasons": _reasons_text},
)
OPEN_ALERTS = Table(
    name="open_alert",
    message=Verdict,
    partition=("day", "risk"),
    written_at="decided_at_ms",
    plain=("transaction_id", "risk", "decided_at_ms", "customer_token"),
    computed={
        "day": lambda verdict: day_of(verdict.decided_at_ms),
        "alert": lambda verdict: _whole(alert_of(verdict)),
        "verdict": _whole,
    },
)
TRANSACTIONS = Table(
    name="transaction_by_customer",
    message=Transaction,
    partition=("customer_token", "month"),
    written_at="event_at_ms",
    plain=("customer_token", "event_at_ms", "transaction_id"),
    computed={"month": lambda bought: month_of(bought.event_at_ms), "purchase": _whole},
)
LABELS = Table(
    name="label_by_transaction",
    message=Label,
    partition=("transaction_id",),
    written_at="known_at_ms",
    plain=("transaction_id", "verdict", "source", "known_at_ms"),
    computed=_LABEL_COLUMNS,
    rank=_rank_of,
)
LABELS_BY_DAY = Table(
    name="label_by_day",
    message=Label,
    partition=("day",),
    written_at="known_at_ms",
    plain=LABELS.plain,
    computed={"day": lambda label: day_of(label.known_at_ms), **_LABEL_COLUMNS},
    rank=_rank_of,
)
AUDIT = Table(
    name="audit_by_day",
    message=AuditRecord,
    partition=("day",),
    written_at="at_ms",
    plain=("at_ms", "record_id"),
    computed={"day": lambda record: day_of(record.at_ms), "record": _whole},
)
TABLES = (VERDICTS, ALERTS, OPEN_ALERTS, TRANSACTIONS, LABELS, LABELS_BY_DAY, AUDIT)


def verdict_from(row: Mapping[str, Any]) -> Verdict:
    """Decode a row of ``verdict_by_transaction``."""
    return decode(Verdict, row["verdict"].encode())


def purchase_from(row: Mapping[str, Any]) -> Transaction:
    """Decode a row of ``transaction_by_customer``."""
    return decode(Transaction, row["purchase"].encode())


def alert_from(row: Mapping[str, Any]) -> Alert:
    """Decode a row of ``alert_by_hour``."""
    return Alert(**_values(row, ALERT_FIELDS))


def label_from(row: Mapping[str, Any]) -> Label:
    """Decode a row of ``label_by_transaction`` or ``label_by_day``."""
    columns = {"by": row["labelled_by"], "note": row["note"] or None}
    return Label(schema=LABEL_SCHEMA, **columns, **_values(row, LABELS.plain))


def record_from(row: Mapping[str, Any]) -> AuditRecord:
    """Decode a row of ``audit_by_day``."""
    return decode(AuditRecord, row["record"].encode())


def _values(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _READ[name](row[_column(name)]) for name in names}


def _reading(kind: type[Any], name: str) -> Callable[[Any], Any]:
    if get_origin(kind) is tuple:
        part = get_args(kind)[0]
        return lambda text: tuple(part(**one) for one in json.loads(text))
    if name.endswith("_at_ms"):
        return epoch_ms_from
    return lambda value: None if value is None else kind(value)


def epoch_ms_from(instant: datetime) -> int:
    """Return the milliseconds of an instant that the driver returned: naive, in UTC."""
    # Integers keep the millisecond exact.
    return calendar.timegm(instant.timetuple()) * 1_000 + instant.microsecond // 1_000


# Fields of an alert are fields of the verdict, so both share these converters.
_READ = {
    column.name: _reading(column.type, column.name)
    for message in (Verdict, Label)
    for column in columns_of(message)
}
