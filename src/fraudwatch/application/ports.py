"""Ports of the application; ``adapters/`` implements them, memory twins included."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from fraudwatch.application.console.alerts import ALERT_RISKS, Alert
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.dead_letter import DeadLetter
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.messages.refund import Refund
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Risk, Verdict
from fraudwatch.domain.privacy import TokenField


class Vault(Protocol):
    """Keys of the edge: tokens for joins, and one encryption key for each customer."""

    def token(self, field: TokenField, canonical: str) -> str:
        """Tokenise a canonical value: the same value, field and key give the same token."""

    def content_hash(self, purchase: Purchase) -> str:
        """Hash a purchase's fields under the token key; the hash names its key, as tokens do."""

    def seal(self, customer_token: str, transaction_id: str, personal: Mapping[str, str]) -> str:
        """Encrypt personal fields under the customer's key, bound to this transaction; base64.

        The key is durable before this returns, so sealed fields can be opened after a crash.
        """

    def open(self, customer_token: str, transaction_id: str, sealed: str) -> dict[str, str]:
        """Decrypt the personal fields.

        Raises:
            KeyError: the customer's key was erased or never existed.
            ValueError: the sealed fields were altered or belong to another transaction.
        """

    def erase(self, customer_token: str) -> bool:
        """Delete the customer's key (crypto-erasure); True if there was one."""


class DeadLetters(Protocol):
    """Dead letter queue for messages that cannot be processed."""

    def put(self, dead_letters: Sequence[DeadLetter]) -> None:
        """Publish dead letters; returns when all are acknowledged, so that offsets may move."""


class Publisher(Protocol):
    """Producer of one topic."""

    def publish(self, messages: Sequence[tuple[str, bytes, int]]) -> None:
        """Send (key, value, produced_at_ms) in order; return when all are acknowledged.

        Raises:
            NotDelivered: when one was not, so that nothing is committed that was not written.
        """


class ScoredBatch(NamedTuple):
    """Verdicts and features of a scored batch; columns of one length, in order."""

    customer_tokens: Sequence[str]
    transaction_ids: Sequence[str]
    verdicts: Sequence[bytes]
    features: Sequence[bytes]  # packed vectors
    produced_at_ms: Sequence[int]  # when the edge produced the transaction
    features_version: str


class VerdictLog(Protocol):
    """Producer of verdicts and of the feature vectors that they were made from."""

    def append(self, scored: ScoredBatch) -> None:
        """Publish both for each transaction in order; return when all are acknowledged.

        Raises:
            NotDelivered: when one was not, so that nothing is committed that was not written.
        """


class NotDelivered(RuntimeError):
    """At least one message was not acknowledged by the broker."""


class DiskFull(NotDelivered):
    """Nothing was sent, because the disk of the log is full; the text may be shown to senders."""


class VerdictListener(Protocol):
    """Consumes verdicts while a synchronous caller waits, and resolves them."""

    def listen(self) -> None:
        """Start consuming; every verdict published after this returns is received.

        Raises:
            VerdictsUnavailable: verdicts cannot be consumed now, so no caller gets one.
        """


class VerdictsUnavailable(RuntimeError):
    """Verdicts cannot be consumed now; they are made and stored nevertheless."""


class VerdictLookup(Protocol):
    """Reader of stored verdicts by transaction."""

    def verdicts_of(self, transaction_ids: Collection[str]) -> dict[str, Verdict]:
        """Return the stored verdicts of these transactions; one without has none yet.

        Raises:
            StoreUnavailable: they cannot be read now.
        """


class VerdictStore(Protocol):
    """System of record of verdicts, purchases, refunds, labels, audit; writes are idempotent."""

    def write(
        self,
        verdicts: Sequence[Verdict],
        transactions: Sequence[Transaction],
        labels: Sequence[Label] = (),
        records: Sequence[AuditRecord] = (),
        refunds: Sequence[Refund] = (),
    ) -> None:
        """Write rows; returns when all are durable, so that offsets may move.

        Of two verdicts on one transaction the one decided later wins, in any order of arrival.
        Labels and audit records are append-only. Of two refunds of one id for one purchase the one
        given back later wins.

        Raises:
            StoreUnavailable: not now; retry the same call later.
            RowsRefused: some rows are invalid; all the others are durable.
        """


class AlertReader(Protocol):
    """Alerts for the console; methods raise :class:`StoreUnavailable` without an answer."""

    def latest(
        self,
        limit: int,
        *,
        now: datetime,
        hours: int = 24,
        risks: Collection[Risk] = ALERT_RISKS,
    ) -> list[Alert]:
        """Return the newest alerts of the last ``hours``, latest first, one a transaction."""

    def decided_between(self, since: datetime, until: datetime, *, limit: int) -> list[Alert]:
        """Return the newest alerts decided from ``since`` to before ``until``, latest first.

        A transaction that was scored twice comes twice, so that fewer than ``limit`` are all.
        """

    def count_since(
        self, since: datetime, *, now: datetime, risks: Collection[Risk] = ALERT_RISKS
    ) -> int:
        """Count the alerts decided since ``since``."""

    def verdict_of(self, transaction_id: str) -> Verdict | None:
        """Return the current verdict of a transaction, or None."""

    def labels_of(self, transaction_id: str) -> list[Label]:
        """Return all labels of a transaction, latest first."""


class StoreUnavailable(RuntimeError):
    """The store cannot answer now: unreachable, overloaded, or a right was revoked."""


class RowsRefused(ValueError):
    """Rows that the store can never accept, and why."""

    def __init__(
        self, reasons: Mapping[Verdict | Transaction | Refund | Label | AuditRecord, str]
    ) -> None:
        named = (f"transaction {row.transaction_id!r}: {why}" for row, why in reasons.items())
        super().__init__("; ".join(named))
        self.reasons = reasons
