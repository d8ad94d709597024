"""What working on cases asks of engines, beside the alerts themselves (``ports.AlertReader``).

Every method raises :class:`~fraudwatch.application.ports.StoreUnavailable` when nobody answers.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Final, Protocol

from fraudwatch.application.console.access import Person
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.tally import Tally

# A case is held so long after the last sign of life of whoever claimed it.
CLAIM_SECONDS: Final = 15 * 60


class Shared(enum.StrEnum):
    """What purchases of several customers can have in common: fields of the transaction."""

    CARD = "card_token"
    DEVICE = "device_token"
    IP_NETWORK = "ip_network_token"


class CaseReader(Protocol):
    """What a case shows beside its verdict."""

    def purchase_of(self, verdict: Verdict) -> Transaction | None:
        """The purchase that was judged; None when it is not stored (yet, or any more)."""

    def purchases_of(
        self, customer_token: str, *, until: datetime, days: int, limit: int
    ) -> list[Transaction]:
        """What the customer bought in the ``days`` before ``until``, newest first."""

    def purchases_with(self, shared: Shared, token: str, *, limit: int) -> list[Transaction]:
        """Purchases of whatever customer with this card, device or network, newest first."""

    def verdicts_of(self, transaction_ids: Collection[str]) -> dict[str, Verdict]:
        """The verdicts that stand on these transactions; those without one are left out."""

    def labels_known(self, since: datetime, *, now: datetime) -> list[Label]:
        """All labels that became known from ``since`` on, latest first."""


class Claims(Protocol):
    """Who works on which case, so that two never work on one; a claim ends by itself.

    Claims are for people, not for truth: whoever has lost one (its time was up) is told so when
    they decide.
    """

    def claim(self, transaction_id: str, login: str) -> str:
        """Claim a case, or hold one's own for longer; the login that holds it from now on."""

    def release(self, transaction_id: str, login: str) -> None:
        """Give one's own claim back; somebody else's stays."""

    def held(self) -> Mapping[str, str]:
        """All claims that stand now: transaction id to login."""


class TallyReader(Protocol):
    """What was counted, for rates and trends."""

    def tallies(self, days: Collection[date]) -> Sequence[Tally]:
        """The tallies of these UTC days of event, one a dimension and value."""


class AuditReader(Protocol):
    """Who did what nobody may do unseen."""

    def audited(self, since: datetime, *, now: datetime, limit: int) -> list[AuditRecord]:
        """The records from ``since`` on, latest first."""


class Revealer(Protocol):
    """Looks behind the tokens of one purchase; the deed is on the audit log before it is done."""

    def reveal(self, purchase: Transaction, *, person: Person, reason: str) -> Mapping[str, str]:
        """The personal fields, by their names in :class:`Purchase`.

        A card's number is always masked.

        Raises:
            Forbidden: the person's role does not reveal.
            Erased: the customer's key is gone for good.
            RevealRefused: the edge does not do it; nothing was shown.
        """


class Erased(LookupError):
    """The customer was forgotten: what was sealed for them can never be opened again."""


class RevealRefused(RuntimeError):
    """Nothing was shown: the edge is down, its log is, or it refuses; says which."""
