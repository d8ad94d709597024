"""Memory twins of the stores and topics: same contracts as the engines, for tests and demos."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from fraudwatch.application.console.alerts import (
    ALERT_RISKS,
    Alert,
    alert_of,
    in_order,
    is_alert,
    newest_first,
)
from fraudwatch.application.intake.pending_verdicts import PendingVerdictRegistry
from fraudwatch.application.ports import (
    NotDelivered,
    RowsRefused,
    ScoredBatch,
    StoreUnavailable,
    VerdictsUnavailable,
)
from fraudwatch.domain.instants import day_of, epoch_ms_of
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.dead_letter import DeadLetter
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.refund import Refund
from fraudwatch.domain.messages.transaction import Kind, Transaction
from fraudwatch.domain.messages.verdict import Risk, Verdict

_LONGEST_KEY_BYTES = 65_535  # Cassandra's
_Row = Verdict | Transaction | Refund | Label


class MemoryVerdictStore:
    """``VerdictStore``, ``AlertReader``, ``OpenAlertReader`` in dictionaries, keyed like tables."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self.transactions: dict[tuple[str, int, str], Transaction] = {}
        self._alerts: dict[tuple[int, str], Alert] = {}
        self._labels: dict[tuple[str, str, int, str], Label] = {}
        self._records: dict[tuple[int, str], AuditRecord] = {}
        self._refunds: dict[tuple[str, str], Refund] = {}
        self.is_reachable = True

    def write(
        self,
        verdicts: Sequence[Verdict],
        transactions: Sequence[Transaction],
        labels: Sequence[Label] = (),
        records: Sequence[AuditRecord] = (),
        refunds: Sequence[Refund] = (),
    ) -> None:
        self._check_reachable()
        rows: list[_Row] = [*verdicts, *transactions, *labels, *refunds]
        refused: dict[_Row | AuditRecord, str]
        refused = {row: why for row in rows if (why := _refusal(row))}
        for row in rows:
            if row not in refused:
                self._write_row(row)
        for record in records:
            self._records[record.at_ms, record.record_id] = record
        if refused:
            raise RowsRefused(refused)

    def latest(
        self,
        limit: int,
        *,
        now: datetime,
        hours: int = 24,
        risks: Collection[Risk] = ALERT_RISKS,
    ) -> list[Alert]:
        return newest_first(self._since(now - timedelta(hours=hours), now, risks))[:limit]

    def decided_between(self, since: datetime, until: datetime, *, limit: int) -> list[Alert]:
        self._check_reachable()
        first_ms, end_ms = epoch_ms_of(since), epoch_ms_of(until)
        rows = [row for row in self._alerts.values() if first_ms <= row.decided_at_ms < end_ms]
        return in_order(rows)[:limit]

    def count_since(
        self, since: datetime, *, now: datetime, risks: Collection[Risk] = ALERT_RISKS
    ) -> int:
        return len(self._since(since, now, risks))

    def verdict_of(self, transaction_id: str) -> Verdict | None:
        self._check_reachable()
        return self.verdicts.get(transaction_id)

    def verdicts_of(self, transaction_ids: Collection[str]) -> dict[str, Verdict]:
        self._check_reachable()
        return {name: self.verdicts[name] for name in transaction_ids if name in self.verdicts}

    def labels_of(self, transaction_id: str) -> list[Label]:
        self._check_reachable()
        labels = [
            label for label in self._labels.values() if label.transaction_id == transaction_id
        ]
        return sorted(labels, key=lambda label: label.known_at_ms, reverse=True)

    def open_alerts(self, limit: int) -> list[Alert]:
        self._check_reachable()
        decided = {label.transaction_id for label in self._labels.values() if label.decides}
        alerts = [one for one in self._alerts.values() if one.transaction_id not in decided]
        order = (*ALERT_RISKS, Risk.LOW).index
        alerts.sort(key=lambda one: (order(one.risk), day_of(one.decided_at_ms)))
        return newest_first(alerts[:limit])

    def open_verdict(self, transaction_id: str) -> Verdict | None:
        open_ids = {one.transaction_id for one in self.open_alerts(len(self._alerts))}
        return self.verdict_of(transaction_id) if transaction_id in open_ids else None

    def purchases(self) -> list[Transaction]:
        """Return all purchases, for the twins that look them up by other keys."""
        self._check_reachable()
        return list(self.transactions.values())

    def alerts(self) -> list[Alert]:
        """Return all alerts, one a verdict."""
        self._check_reachable()
        return list(self._alerts.values())

    def labels(self) -> list[Label]:
        """Return all labels."""
        self._check_reachable()
        return list(self._labels.values())

    def refunds(self) -> list[Refund]:
        """Return all refunds."""
        self._check_reachable()
        return list(self._refunds.values())

    def records(self) -> list[AuditRecord]:
        """Return all audit records."""
        self._check_reachable()
        return list(self._records.values())

    def _write_row(self, row: _Row) -> None:
        if isinstance(row, Verdict):
            self._write_verdict(row)
        elif isinstance(row, Transaction):
            self.transactions[row.customer_token, row.event_at_ms, row.transaction_id] = row
        elif isinstance(row, Refund):
            name = (row.transaction_id, row.refund_id)
            known = self._refunds.get(name, row)
            self._refunds[name] = max(row, known, key=lambda one: one.refunded_at_ms)
        else:
            key = (row.transaction_id, row.source, row.known_at_ms, row.by)
            # Two labels of one instant: as in Cassandra, the greater text wins.
            self._labels[key] = max(row, self._labels.get(key, row), key=_rank)

    def _write_verdict(self, verdict: Verdict) -> None:
        current = self.verdicts.get(verdict.transaction_id)
        if current is None or current.decided_at_ms <= verdict.decided_at_ms:
            self.verdicts[verdict.transaction_id] = verdict
        if is_alert(verdict):
            alert = alert_of(verdict)
            self._alerts[alert.decided_at_ms, alert.transaction_id] = alert

    def _since(self, since: datetime, now: datetime, risks: Collection[Risk]) -> list[Alert]:
        self._check_reachable()
        # Up to the end of this hour: the detector's clock may be ahead of the reader's.
        end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        first_ms, end_ms = epoch_ms_of(since), epoch_ms_of(end)
        return [
            alert
            for alert in self._alerts.values()
            if first_ms <= alert.decided_at_ms < end_ms and alert.risk in risks
        ]

    def _check_reachable(self) -> None:
        if not self.is_reachable:
            raise StoreUnavailable("this memory store was made unavailable")


def _rank(label: Label) -> tuple[str, str]:
    return label.verdict, label.note or ""


def _refusal(row: _Row) -> str | None:
    if not row.transaction_id:
        return "its key is empty"
    if len(row.transaction_id.encode()) > _LONGEST_KEY_BYTES:
        return "its key is too long"
    if isinstance(row, Transaction) and row.kind is not Kind.TRANSACTION:
        return f"{row.kind} is not a purchase"
    return None


class MemoryTopic:
    """``Publisher`` into a list; tests can make it fail."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes, int]] = []
        self.is_reachable = True

    def publish(self, messages: Sequence[tuple[str, bytes, int]]) -> None:
        if not self.is_reachable:
            raise NotDelivered("this memory topic was made unavailable")
        self.messages.extend(messages)


class MemoryVerdictLog:
    """``VerdictLog`` into two lists; tests can make it fail."""

    def __init__(self) -> None:
        self.verdicts: list[tuple[str, bytes, int]] = []  # key, verdict, produced_at_ms
        self.features: list[tuple[str, str, bytes]] = []  # key, transaction id, packed vector
        self.features_versions: list[str] = []  # of each of them
        self.is_reachable = True

    def append(self, scored: ScoredBatch) -> None:
        if not self.is_reachable:
            raise NotDelivered("this memory log was made unavailable")
        keys, names, verdicts, features, produced_at_ms, version = scored
        self.verdicts.extend(zip(keys, verdicts, produced_at_ms, strict=True))
        self.features.extend(zip(keys, names, features, strict=True))
        self.features_versions.extend(version for _ in features)


class MemoryDeadLetters:
    """``DeadLetters`` in a dictionary, one for each origin."""

    def __init__(self) -> None:
        self.records: dict[str, DeadLetter] = {}

    def put(self, dead_letters: Sequence[DeadLetter]) -> None:
        self.records |= {dead_letter.origin: dead_letter for dead_letter in dead_letters}


class MemoryVerdicts:
    """``VerdictListener`` for tests, which publish verdicts to it; inactive until it listens."""

    def __init__(self, pending: PendingVerdictRegistry) -> None:
        self._pending = pending
        self.is_reachable = True
        self.is_listening = False

    def listen(self) -> None:
        if not self.is_reachable:
            raise VerdictsUnavailable("this memory listener was made unavailable")
        self.is_listening = True

    def publish(self, verdict: Verdict) -> None:
        """Publish a verdict, on any thread."""
        if self.is_listening:
            self._pending.resolve(verdict.transaction_id, lambda: verdict)
