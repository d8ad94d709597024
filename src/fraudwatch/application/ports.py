"""What the application asks of engines; ``adapters/`` answers, memory twins included."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from fraudwatch.application.console.alerts import ALERT_RISKS, Alert
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.dead_letter import DeadLetter
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Risk, Verdict
from fraudwatch.domain.privacy import TokenField


class Vault(Protocol):
    """Keeps the keys of the edge: tokens for joining, a key of one's own for each customer."""

    def token(self, field: TokenField, canonical: str) -> str:
        """The token of a canonical value: the same value, field and key give the same token."""

    def seal(self, customer_token: str, transaction_id: str, personal: Mapping[str, str]) -> str:
        """Encrypt personal fields under the customer's key, bound to this transaction; base64.

        The key is durable before this returns: what is sealed can be opened after a crash.
        """

    def open(self, customer_token: str, transaction_id: str, sealed: str) -> dict[str, str]:
        """The personal fields again.

        Raises:
            KeyError: the customer's key was erased or never existed.
            ValueError: the box was altered or belongs to another transaction.
        """

    def erase(self, customer_token: str) -> bool:
        """Destroy the customer's key; True if there was one."""


class DeadLetters(Protocol):
    """Where messages go that nobody can take."""

    def put(self, letters: Sequence[DeadLetter]) -> None:
        """Return only when every letter is acknowledged; an offset may move after that."""


class Publisher(Protocol):
    """A topic to write to."""

    def publish(self, messages: Sequence[tuple[str, bytes, int]]) -> None:
        """Send (key, value, produced_at_ms) in order; return when all are acknowledged.

        Raises:
            NotDelivered: when one was not, so that nothing is committed that was not written.
        """


class JudgedBatch(NamedTuple):
    """What is written of a batch of judged transactions; columns of one length, in order."""

    customer_tokens: Sequence[str]
    transaction_ids: Sequence[str]
    verdicts: Sequence[bytes]
    features: Sequence[bytes]  # packed vectors
    produced_at_ms: Sequence[int]  # when the edge produced the transaction
    features_version: str


class VerdictLog(Protocol):
    """Where verdicts go, and beside them the features that they were made of."""

    def append(self, judged: JudgedBatch) -> None:
        """Write both of each transaction in order; return when all are acknowledged.

        Raises:
            NotDelivered: when one was not, so that nothing is committed that was not written.
        """


class NotDelivered(RuntimeError):
    """At least one message was not acknowledged by the broker."""


class VerdictListener(Protocol):
    """Hears verdicts while somebody waits for one, and hands them over."""

    def listen(self) -> None:
        """Return when every verdict from now on is heard, as long as anybody expects one.

        Raises:
            VerdictsUnheard: the broker gives none now; what is expected will not be told.
        """


class VerdictsUnheard(RuntimeError):
    """Verdicts cannot be heard now; they are made and stored all the same."""


class VerdictStore(Protocol):
    """The system of record of what is judged, said and done; a row written twice is one row."""

    def write(
        self,
        verdicts: Sequence[Verdict],
        transactions: Sequence[Transaction],
        labels: Sequence[Label] = (),
        records: Sequence[AuditRecord] = (),
    ) -> None:
        """Return only when every row is durable; an offset may move after that.

        Of two verdicts on one transaction the one decided later stands, in whatever order they
        come. Labels and audit records are only added, and no verdict touches them.

        Raises:
            StoreUnavailable: not now; the same call succeeds later.
            RowsRefused: some can never be written; all the others are durable.
        """


class AlertReader(Protocol):
    """What the console asks; every method raises :class:`StoreUnavailable` when nobody answers."""

    def latest(
        self,
        limit: int,
        *,
        now: datetime,
        hours: int = 24,
        risks: Collection[Risk] = ALERT_RISKS,
    ) -> list[Alert]:
        """The newest alerts decided in the last ``hours``, latest first, one a transaction."""

    def decided_between(self, since: datetime, until: datetime, *, limit: int) -> list[Alert]:
        """The newest alerts decided from ``since`` on and before ``until``, latest first.

        A transaction that was judged twice comes twice, so that fewer than ``limit`` are all.
        """

    def count_since(
        self, since: datetime, *, now: datetime, risks: Collection[Risk] = ALERT_RISKS
    ) -> int:
        """How many alerts were decided from ``since`` on."""

    def verdict_of(self, transaction_id: str) -> Verdict | None:
        """The verdict that stands on a transaction, or None."""

    def labels_of(self, transaction_id: str) -> list[Label]:
        """All that was ever said about what a transaction turned out to be, latest first."""


class StoreUnavailable(RuntimeError):
    """The store cannot answer now: unreachable, overloaded, or it has withdrawn a right."""


class RowsRefused(ValueError):
    """Rows that the store will never take, however often they are offered, and why."""

    def __init__(self, reasons: Mapping[Verdict | Transaction | Label | AuditRecord, str]) -> None:
        named = (f"transaction {row.transaction_id!r}: {why}" for row, why in reasons.items())
        super().__init__("; ".join(named))
        self.reasons = reasons
