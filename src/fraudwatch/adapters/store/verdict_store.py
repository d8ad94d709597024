"""Write verdicts, transactions, refunds, labels and audit records to Cassandra, idempotently."""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from cassandra import InvalidRequest
from cassandra.cluster import Session

from fraudwatch.adapters.store.alert_tables import ALERT_TABLES, alert_rows
from fraudwatch.adapters.store.binding import RowBinder, insert_of
from fraudwatch.adapters.store.decided_alerts import DecidedAlerts
from fraudwatch.adapters.store.link_table import LINKS, links_of
from fraudwatch.adapters.store.refund_table import REFUNDS
from fraudwatch.adapters.store.rows import (
    AUDIT,
    LABELS,
    LABELS_BY_DAY,
    OPEN_ALERTS,
    TABLES,
    TRANSACTIONS,
    VERDICTS,
    Table,
)
from fraudwatch.adapters.store.sending import Row, send
from fraudwatch.adapters.store.session import translate_driver_errors
from fraudwatch.application.console.alerts import alert_of, is_alert
from fraudwatch.application.ports import RowsRefused
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.refund import Refund
from fraudwatch.domain.messages.transaction import Kind, Transaction
from fraudwatch.domain.messages.verdict import Verdict


class CassandraVerdictStore:
    """``VerdictStore`` that writes each message to every table that is queried for it."""

    def __init__(self, session: Session) -> None:
        """Prepare the statements.

        Raises:
            StoreUnavailable: Cassandra does not answer, or the tables do not exist yet.
        """
        self._session = session
        with translate_driver_errors():
            self._inserts = {
                table.name: RowBinder(session.prepare(insert_of(table)))
                for table in (*TABLES, *ALERT_TABLES, LINKS, REFUNDS)
            }
        for insert in self._inserts.values():
            insert.prepared.is_idempotent = True
        self._decided = DecidedAlerts(session)

    def write(
        self,
        verdicts: Sequence[Verdict],
        transactions: Sequence[Transaction],
        labels: Sequence[Label] = (),
        records: Sequence[AuditRecord] = (),
        refunds: Sequence[Refund] = (),
    ) -> None:
        refused: dict[Any, str] = {}
        rows: list[Row] = []
        for messages, rows_of in (
            (verdicts, self._verdict_rows),
            (transactions, self._purchase_rows),
            (labels, self._label_rows),
            (records, self._record_rows),
            (refunds, self._refund_rows),
        ):
            rows += _valid_rows(messages, rows_of, refused)
        with translate_driver_errors():
            invalid = send(self._session, rows)
        refused |= {found.message: _reason(found.error) for found in invalid}
        self._decided.close(_may_be_decided(verdicts, labels, refused))
        if refused:
            raise RowsRefused(refused)

    def write_open(self, verdicts: Collection[Verdict]) -> None:
        """Write the alerts among these verdicts to the open alerts only, unless decided.

        Raises:
            StoreUnavailable: not now; the same call may be repeated.
        """
        alerts = [verdict for verdict in verdicts if is_alert(verdict)]
        with translate_driver_errors():
            send(self._session, [self._row(OPEN_ALERTS, alert, alert) for alert in alerts])
        self._decided.close(alert.transaction_id for alert in alerts)

    def _verdict_rows(self, verdict: Verdict) -> Iterator[Row]:
        yield self._row(VERDICTS, verdict, verdict)
        if is_alert(verdict):
            for table, content in alert_rows(alert_of(verdict)):
                yield self._row(table, content, verdict)
            yield self._row(OPEN_ALERTS, verdict, verdict)

    def _purchase_rows(self, purchase: Transaction) -> Iterator[Row]:
        if purchase.kind is not Kind.TRANSACTION:
            raise _InvalidMessage(f"{purchase.kind} is not a purchase")
        yield self._row(TRANSACTIONS, purchase, purchase)
        for link in links_of(purchase):
            yield self._row(LINKS, link, purchase)

    def _label_rows(self, label: Label) -> Iterator[Row]:
        yield self._row(LABELS, label, label)
        yield self._row(LABELS_BY_DAY, label, label)

    def _record_rows(self, record: AuditRecord) -> Iterator[Row]:
        yield self._row(AUDIT, record, record)

    def _refund_rows(self, refund: Refund) -> Iterator[Row]:
        yield self._row(REFUNDS, refund, refund)

    def _row(self, table: Table, content: Any, message: Any) -> Row:
        try:
            values = table.row(content)
            statement = self._inserts[table.name].bind(values)
        except (TypeError, ValueError, OverflowError, OSError, struct.error) as error:
            # The driver's message may quote the value, which may be personal: name the kind only.
            raise _InvalidMessage(f"does not fit {table.name} ({type(error).__name__})") from None
        partition = table.partition_in(values)
        if "" in partition:
            # Cassandra would refuse the verdict but accept its alert.
            raise _InvalidMessage("its key is empty")
        return Row(message, (table.name, *partition), statement)


class _InvalidMessage(ValueError):
    """The message cannot become a row; the text says why without its values."""


def _valid_rows(
    messages: Iterable[Any], rows_of: Callable[[Any], Iterator[Row]], refused: dict[Any, str]
) -> Iterator[Row]:
    for message in messages:
        try:
            yield from list(rows_of(message))
        except _InvalidMessage as why:
            refused[message] = str(why)


def _may_be_decided(
    verdicts: Iterable[Verdict], labels: Iterable[Label], refused: Mapping[Any, str]
) -> Iterator[str]:
    """Yield the transactions of alerts and of labels that decide; a refused one is no key."""
    messages: list[Verdict | Label] = [verdict for verdict in verdicts if is_alert(verdict)]
    messages += [label for label in labels if label.decides]
    for message in messages:
        if not refused or message not in refused:
            yield message.transaction_id


def _reason(error: InvalidRequest) -> str:
    if "long" in str(error):
        return "its key is too long for Cassandra"
    return "Cassandra refuses the row as invalid"
