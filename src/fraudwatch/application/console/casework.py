"""Ports of casework: cases, claims, tallies, audit log, reveals (alerts: ``ports.AlertReader``).

Every method raises :class:`~fraudwatch.application.ports.StoreUnavailable` when the store does not
answer.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Final, Protocol

from fraudwatch.application.console.access import Person
from fraudwatch.application.console.alerts import Alert
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.refund import Refund
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.tally import Tally

# Lifetime of a claim after its last renewal.
CLAIM_SECONDS: Final = 15 * 60


class Shared(enum.StrEnum):
    """Fields of the transaction that link purchases of several customers."""

    CARD = "card_token"
    DEVICE = "device_token"
    IP_NETWORK = "ip_network_token"


class CaseReader(Protocol):
    """Reader of what a case shows beside its verdict."""

    def purchase_of(self, verdict: Verdict) -> Transaction | None:
        """Return the scored purchase; None when it is not stored (yet, or any more)."""

    def purchases_of(
        self, customer_token: str, *, until: datetime, days: int, limit: int
    ) -> list[Transaction]:
        """Return the customer's purchases in the ``days`` before ``until``, newest first."""

    def purchases_with(
        self, shared: Shared, token: str, *, until: datetime, days: int, limit: int
    ) -> list[Transaction]:
        """Return purchases of any customer with this card, device or network, newest first.

        Only those in the ``days`` before ``until`` are looked for.
        """

    def verdicts_of(self, transaction_ids: Collection[str]) -> dict[str, Verdict]:
        """Return the current verdicts of these transactions; those without one are left out."""

    def labels_known(self, since: datetime, *, now: datetime) -> list[Label]:
        """Return all labels known since ``since``, latest first."""

    def refunds_of(self, transaction_id: str) -> list[Refund]:
        """Return what was given back of this purchase, latest first."""


class OpenAlertReader(Protocol):
    """Reader of the undecided alerts: those without a label that says fraud or genuine."""

    def open_alerts(self, limit: int) -> list[Alert]:
        """Return undecided alerts of any age, latest first, one a transaction.

        Of more than ``limit`` those of the highest risk are returned, and of one risk those of the
        oldest days.
        """

    def open_verdict(self, transaction_id: str) -> Verdict | None:
        """Return the verdict of an undecided alert, also when it is stored nowhere else."""


class Claims(Protocol):
    """Locks on cases, so that two analysts never work on one; a claim expires by itself.

    Claims coordinate people only: an analyst whose claim expired and was claimed by another gets
    an error when deciding.
    """

    def claim(self, transaction_id: str, login: str) -> str:
        """Claim a case, or renew one's own claim; return the login that has it now."""

    def release(self, transaction_id: str, login: str) -> None:
        """Release one's own claim; another login's claim stays."""

    def active_claims(self) -> Mapping[str, str]:
        """Return all active claims: transaction id to login."""


class TallyReader(Protocol):
    """Reader of tallies, for rates and trends."""

    def tallies(self, days: Collection[date]) -> Sequence[Tally]:
        """Return the tallies of these UTC event days, one for each dimension and value."""


class AuditReader(Protocol):
    """Reader of the audit log."""

    def audited(self, since: datetime, *, now: datetime, limit: int) -> list[AuditRecord]:
        """Return the audit records since ``since``, latest first."""


class Revealer(Protocol):
    """Opens the sealed fields of one purchase, after writing an audit record."""

    def reveal(self, purchase: Transaction, *, person: Person, reason: str) -> Mapping[str, str]:
        """Return personal fields, named as in :class:`Purchase`.

        The card number is always masked.

        Raises:
            Forbidden: the person's role does not reveal.
            Erased: the customer's key was deleted.
            RevealRefused: the edge refused or did not answer; nothing was shown.
        """


class Erased(LookupError):
    """The customer's key was deleted (crypto-erasure): their sealed fields cannot be opened."""


class RevealRefused(RuntimeError):
    """Nothing was shown: the edge or its log is down, or it refuses; the message says which."""
