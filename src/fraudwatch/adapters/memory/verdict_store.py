"""Memory twins of the engines: product code under the same contracts, for tests and demos."""

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
from fraudwatch.application.intake.pending_verdicts import Expectations
from fraudwatch.application.ports import (
    JudgedBatch,
    NotDelivered,
    RowsRefused,
    StoreUnavailable,
    VerdictsUnheard,
)
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.dead_letter import DeadLetter
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.transaction import Kind, Transaction
from fraudwatch.domain.messages.verdict import Risk, Verdict

_LONGEST_KEY_BYTES = 65_535  # Cassandra's


class MemoryVerdictStore:
    """A ``VerdictStore`` and ``AlertReader`` in dictionaries, each keyed as its table is."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self.transactions: dict[tuple[str, int, str], Transaction] = {}
        self._alerts: dict[tuple[int, str], Alert] = {}
        self._labels: dict[tuple[str, str, int, str], Label] = {}
        self._records: dict[tuple[int, str], AuditRecord] = {}
        self.is_reachable = True

    def write(
        self,
        verdicts: Sequence[Verdict],
        transactions: Sequence[Transaction],
        labels: Sequence[Label] = (),
        records: Sequence[AuditRecord] = (),
    ) -> None:
        """See :class:`fraudwatch.application.ports.VerdictStore`."""
        self._answer()
        rows: list[Verdict | Transaction | Label] = [*verdicts, *transactions, *labels]
        refused: dict[Verdict | Transaction | Label | AuditRecord, str] = {
            row: why for row in rows if (why := _refusal(row))
        }
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
        """See :class:`fraudwatch.application.ports.AlertReader`."""
        return newest_first(self._since(now - timedelta(hours=hours), now, risks))[:limit]

    def decided_between(self, since: datetime, until: datetime, *, limit: int) -> list[Alert]:
        """See :class:`fraudwatch.application.ports.AlertReader`."""
        self._answer()
        first_ms, end_ms = int(since.timestamp() * 1_000), int(until.timestamp() * 1_000)
        rows = [row for row in self._alerts.values() if first_ms <= row.decided_at_ms < end_ms]
        return in_order(rows)[:limit]

    def count_since(
        self, since: datetime, *, now: datetime, risks: Collection[Risk] = ALERT_RISKS
    ) -> int:
        """See :class:`fraudwatch.application.ports.AlertReader`."""
        return len(self._since(since, now, risks))

    def verdict_of(self, transaction_id: str) -> Verdict | None:
        """See :class:`fraudwatch.application.ports.AlertReader`."""
        self._answer()
        return self.verdicts.get(transaction_id)

    def labels_of(self, transaction_id: str) -> list[Label]:
        """See :class:`fraudwatch.application.ports.AlertReader`."""
        self._answer()
        said = [label for label in self._labels.values() if label.transaction_id == transaction_id]
        return sorted(said, key=lambda label: label.known_at_ms, reverse=True)

    def purchases(self) -> list[Transaction]:
        """Every purchase that was written, for the twins that ask for them by other keys."""
        self._answer()
        return list(self.transactions.values())

    def labels(self) -> list[Label]:
        """Every label that was written."""
        self._answer()
        return list(self._labels.values())

    def records(self) -> list[AuditRecord]:
        """Every audit record that was written."""
        self._answer()
        return list(self._records.values())

    def _write_row(self, row: Verdict | Transaction | Label) -> None:
        if isinstance(row, Verdict):
            self._write_verdict(row)
        elif isinstance(row, Transaction):
            self.transactions[row.customer_token, row.event_at_ms, row.transaction_id] = row
        else:
            key = (row.transaction_id, row.source, row.known_at_ms, row.by)
            # Two truths of one instant: as in Cassandra, the greater text stands.
            self._labels[key] = max(row, self._labels.get(key, row), key=_weight)

    def _write_verdict(self, verdict: Verdict) -> None:
        standing = self.verdicts.get(verdict.transaction_id)
        if standing is None or standing.decided_at_ms <= verdict.decided_at_ms:
            self.verdicts[verdict.transaction_id] = verdict
        if is_alert(verdict):
            alert = alert_of(verdict)
            self._alerts[alert.decided_at_ms, alert.transaction_id] = alert

    def _since(self, since: datetime, now: datetime, risks: Collection[Risk]) -> list[Alert]:
        self._answer()
        # Up to the end of this hour: a judge's clock may be a little ahead of the reader's.
        end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        first_ms, end_ms = epoch_ms_of(since), epoch_ms_of(end)
        return [
            alert
            for alert in self._alerts.values()
            if first_ms <= alert.decided_at_ms < end_ms and alert.risk in risks
        ]

    def _answer(self) -> None:
        if not self.is_reachable:
            raise StoreUnavailable("this memory store was told not to answer")


def _weight(label: Label) -> tuple[str, str]:
    return label.verdict, label.note or ""


def _refusal(row: Verdict | Transaction | Label) -> str | None:
    if not row.transaction_id:
        return "its key is empty"
    if len(row.transaction_id.encode()) > _LONGEST_KEY_BYTES:
        return "its key is too long"
    if isinstance(row, Transaction) and row.kind is not Kind.TRANSACTION:
        return f"{row.kind} is not a purchase"
    return None


class MemoryTopic:
    """A topic as a list: a ``Publisher`` that can be told to fail."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes, int]] = []
        self.is_reachable = True

    def publish(self, messages: Sequence[tuple[str, bytes, int]]) -> None:
        """See :class:`fraudwatch.application.ports.Publisher`."""
        if not self.is_reachable:
            raise NotDelivered("this memory topic was told not to answer")
        self.messages.extend(messages)


class MemoryVerdictLog:
    """A ``VerdictLog`` as two lists; it can be told to fail."""

    def __init__(self) -> None:
        self.verdicts: list[tuple[str, bytes, int]] = []  # key, verdict, produced_at_ms
        self.features: list[tuple[str, str, bytes]] = []  # key, transaction id, packed vector
        self.features_versions: list[str] = []  # of each of them
        self.is_reachable = True

    def append(self, judged: JudgedBatch) -> None:
        """See :class:`fraudwatch.application.ports.VerdictLog`."""
        if not self.is_reachable:
            raise NotDelivered("this memory log was told not to answer")
        keys, names, verdicts, features, produced_at_ms, version = judged
        self.verdicts.extend(zip(keys, verdicts, produced_at_ms, strict=True))
        self.features.extend(zip(keys, names, features, strict=True))
        self.features_versions.extend(version for _ in features)


class MemoryDeadLetters:
    """Dead letters as a list, one an origin."""

    def __init__(self) -> None:
        self.letters: dict[str, DeadLetter] = {}

    def put(self, letters: Sequence[DeadLetter]) -> None:
        """See :class:`fraudwatch.application.ports.DeadLetters`."""
        self.letters |= {letter.origin: letter for letter in letters}


class MemoryVerdicts:
    """A ``VerdictListener`` that is told what is judged; deaf until it listens."""

    def __init__(self, expectations: Expectations) -> None:
        self._expectations = expectations
        self.is_reachable = True
        self.is_listening = False

    def listen(self) -> None:
        """See :class:`fraudwatch.application.ports.VerdictListener`."""
        if not self.is_reachable:
            raise VerdictsUnheard("this memory listener was told to hear nothing")
        self.is_listening = True

    def judged(self, verdict: Verdict) -> None:
        """A verdict is published, on whatever thread."""
        if self.is_listening:
            self._expectations.tell(verdict.transaction_id, lambda: verdict)
