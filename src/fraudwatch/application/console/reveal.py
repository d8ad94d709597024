"""Reveal the sealed fields of one purchase: write the audit record first, then open them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fraudwatch.application.console.access import Person, Right, Role
from fraudwatch.application.console.allowance import RevealRateLimit
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
from fraudwatch.domain.messages.purchase import IDENTIFIER, LONGEST_TRANSACTION_ID
from fraudwatch.domain.messages.transaction import TOKEN_PATTERN
from fraudwatch.domain.privacy import masked_card_id, masked_card_number


class AlteredSealedFields(ValueError):
    """The sealed fields were altered, or belong to another purchase or customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealRequest:
    """Request to reveal the personal fields of one purchase, with the reason."""

    transaction_id: Annotated[
        str, Fact("The purchase", pattern=IDENTIFIER, max_length=LONGEST_TRANSACTION_ID)
    ]
    customer_token: Annotated[str, Fact("Token of the customer", pattern=TOKEN_PATTERN)]
    sealed: Annotated[str, Fact("The sealed fields of the purchase", max_length=8_192)]
    login: Annotated[str, Fact("Login of the caller", pattern=LABELLER, max_length=64)]
    role: Annotated[Role, Fact("Role of the caller at the console")]
    reason: Annotated[str, Fact("Reason of the caller; bounded without surrounding space")]


@dataclass(frozen=True, slots=True)
class Reveals:
    """Use case that opens sealed fields, within a rate limit and after an audit record."""

    vault: Vault
    log: AuditLog
    now_ms: Callable[[], int]
    rate_limit: RevealRateLimit = field(default_factory=RevealRateLimit)

    def reveal(self, request: RevealRequest) -> Mapping[str, str]:
        """Return the personal fields of one purchase, with the card number masked.

        The number is always masked, for every role (PCI DSS 3.4.1: at most the first six and the
        last four digits are shown): the console needs no more of it, and what is not shown cannot
        be photographed.

        The audit record is written before the fields are opened. So there may be a record without
        a reveal (the key was erased, the process ended), but never a reveal without a record.

        Raises:
            Refused: a field breaks its bounds; the reason counts without surrounding space.
            Forbidden: the role lacks the right.
            TooManyReveals: the hourly limit of this login, or of all together, is reached.
            NotDelivered: the log did not acknowledge, so nothing was opened.
            Erased: the customer's key was deleted.
            AlteredSealedFields: the fields do not open with the customer's key.
        """
        reason = request.reason.strip()
        if broken := [*problems(request), *reason_problems(reason)]:
            raise Refused(Code.OUT_OF_BOUNDS, broken)
        Person(request.login, request.role).require(Right.REVEAL)
        now_ms = self.now_ms()
        self.rate_limit.consume(request.login, now_ms)
        self.log.write(_record(request, reason, now_ms))
        try:
            personal = self.vault.open(
                request.customer_token, request.transaction_id, request.sealed
            )
        except KeyError:
            raise Erased(
                "the customer's key was deleted (crypto-erasure), so their sealed fields can never "
                "be opened again"
            ) from None
        except ValueError:
            raise AlteredSealedFields(
                "the sealed fields do not open: they were altered, or belong to another purchase; "
                "nothing was shown"
            ) from None
        return mask_personal_fields(personal)


def reason_problems(reason: str) -> list[Problem]:
    """Check the length of a reason; one word explains nothing to a reader of the audit log."""
    if SHORTEST_REASON <= len(reason.strip()) <= LONGEST_REASON:
        return []
    rule = f"must have {SHORTEST_REASON} to {LONGEST_REASON} characters"
    return [Problem("reason", rule)]


def mask_personal_fields(personal: Mapping[str, str]) -> dict[str, str]:
    """Mask the fields that a person may not see in full."""
    masked = {"card_number": masked_card_number, "card_id": masked_card_id}
    return {name: masked.get(name, str)(value) for name, value in personal.items()}


def _record(request: RevealRequest, reason: str, now_ms: int) -> AuditRecord:
    return AuditRecord(
        schema=AUDIT_SCHEMA,
        record_id=uuid.uuid4().hex,
        at_ms=now_ms,
        deed=AuditAction.REVEALED,
        by=request.login,
        reason=reason,
        transaction_id=request.transaction_id,
        customer_token=request.customer_token,
    )
