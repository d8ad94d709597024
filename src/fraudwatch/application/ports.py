"""What the application asks of engines; ``adapters/`` answers, memory twins included."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from fraudwatch.application.alerts import ALERT_RISKS, Alert
from fraudwatch.domain.dead_letter import DeadLetter
from fraudwatch.domain.privacy import TokenField
from fraudwatch.domain.transaction import Transaction
from fraudwatch.domain.verdict import Risk, Verdict


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


class NotDelivered(RuntimeError):
    """At least one message was not acknowledged by the broker."""


class VerdictStore(Protocol):
    """The system of record of verdicts and transactions; writing the same twice changes nothing."""

    def write(self, verdicts: Sequence[Verdict], transactions: Sequence[Transaction]) -> None:
        """Return only when every row is durable; an offset may move after that.

        Of two verdicts on one transaction the one decided later stands, in whatever order they
        come. After a refusal some of the other rows may be durable already: write them again.

        Raises:
            StoreUnavailable: not now; the same call succeeds later.
            RowRefused: one row can never be written; leave it out and write the others again.
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

    def count_since(
        self, since: datetime, *, now: datetime, risks: Collection[Risk] = ALERT_RISKS
    ) -> int:
        """How many alerts were decided from ``since`` on."""

    def verdict_of(self, transaction_id: str) -> Verdict | None:
        """The verdict that stands on a transaction, or None."""


class StoreUnavailable(RuntimeError):
    """The store cannot answer now: unreachable, overloaded, or it has withdrawn a right."""


class RowRefused(ValueError):
    """A row that the store will never take, however often it is offered."""

    def __init__(self, transaction_id: str, reason: str) -> None:
        super().__init__(f"transaction {transaction_id!r}: {reason}")
        self.transaction_id = transaction_id
        self.reason = reason
