"""Look behind the tokens of one purchase: written down first, then opened."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fraudwatch.application.console.access import Person, Right, Role
from fraudwatch.application.console.allowance import Allowance
from fraudwatch.application.console.audit import AuditLog
from fraudwatch.application.console.casework import Erased
from fraudwatch.application.ports import Vault
from fraudwatch.domain.messages.audit import (
    AUDIT_SCHEMA,
    LONGEST_REASON,
    SHORTEST_REASON,
    AuditAction,
    AuditRecord,
)
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Fact, Problem, problems
from fraudwatch.domain.messages.label import LABELLER
from fraudwatch.domain.messages.purchase import IDENTIFIER
from fraudwatch.domain.messages.transaction import TOKEN_PATTERN
from fraudwatch.domain.privacy import masked_card_number


class AlteredBox(ValueError):
    """The sealed fields were altered, or belong to another purchase or customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealRequest:
    """Whose personal fields somebody wants to see, and why."""

    transaction_id: Annotated[str, Fact("The purchase", pattern=IDENTIFIER, max_length=64)]
    customer_token: Annotated[str, Fact("Who bought", pattern=TOKEN_PATTERN)]
    sealed: Annotated[str, Fact("The box, as it came with the purchase", max_length=8_192)]
    login: Annotated[str, Fact("Who asks", pattern=LABELLER, max_length=64)]
    role: Annotated[Role, Fact("What they are at the console")]
    reason: Annotated[str, Fact("Why, in their words; bounded without the space around it")]


@dataclass(frozen=True, slots=True)
class Reveals:
    """The one way to open a box. Neither the vault nor the log knows of the other."""

    vault: Vault
    log: AuditLog
    now_ms: Callable[[], int]
    allowance: Allowance = field(default_factory=Allowance)

    def reveal(self, asked: RevealRequest) -> Mapping[str, str]:
        """The personal fields of one purchase, with the card's number masked.

        The number is masked for everybody and always (PCI DSS 3.4.1: at most the first six and the
        last four digits are shown): nobody at the console needs more of it, and what is not shown
        cannot be photographed.

        The record is on the log before the box is opened. So there may be a record of something
        that was never seen (the key was erased, the process ended), never the other way round.

        Raises:
            Refused: a field breaks its bounds; the reason counts without the space around it.
            Forbidden: the role does not give it.
            TooMany: this person, or all together, looked behind too much in the last hour.
            NotDelivered: the log did not acknowledge, so nothing was opened.
            Erased: the customer's key is gone.
            AlteredBox: the box does not open with that key.
        """
        reason = asked.reason.strip()
        if broken := [*problems(asked), *reason_problems(reason)]:
            raise Refused(Code.OUT_OF_BOUNDS, broken)
        Person(asked.login, asked.role).require(Right.REVEAL)
        now_ms = self.now_ms()
        self.allowance.take(asked.login, now_ms)
        self.log.write(_record(asked, reason, now_ms))
        try:
            personal = self.vault.open(asked.customer_token, asked.transaction_id, asked.sealed)
        except KeyError:
            raise Erased(
                "the customer's key is gone: they were forgotten, so what was sealed for them can "
                "never be opened again"
            ) from None
        except ValueError:
            raise AlteredBox(
                "the sealed fields do not open: they were altered, or belong to another purchase; "
                "nothing was shown"
            ) from None
        return shown(personal)


def reason_problems(reason: str) -> list[Problem]:
    """What is wrong with a reason; a word or two explain nothing to whoever reads the log."""
    if SHORTEST_REASON <= len(reason.strip()) <= LONGEST_REASON:
        return []
    rule = f"must have {SHORTEST_REASON} to {LONGEST_REASON} characters"
    return [Problem("reason", rule)]


def shown(personal: Mapping[str, str]) -> dict[str, str]:
    """The fields as a person may see them."""
    masked = {"card_number": masked_card_number}
    return {name: masked.get(name, str)(value) for name, value in personal.items()}


def _record(asked: RevealRequest, reason: str, now_ms: int) -> AuditRecord:
    return AuditRecord(
        schema=AUDIT_SCHEMA,
        record_id=uuid.uuid4().hex,
        at_ms=now_ms,
        deed=AuditAction.REVEALED,
        by=asked.login,
        reason=reason,
        transaction_id=asked.transaction_id,
        customer_token=asked.customer_token,
    )
