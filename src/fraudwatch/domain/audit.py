"""An audit record: who did something that nobody may do unseen, when, to what and why."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from fraudwatch.domain.fields import Sensitivity, fact
from fraudwatch.domain.label import LABELLER
from fraudwatch.domain.purchase import EARLIEST_EVENT_MS, IDENTIFIER, LATEST_EVENT_MS

AUDIT_SCHEMA = "audit.v1"
SHORTEST_REASON, LONGEST_REASON = 10, 500


class Deed(enum.StrEnum):
    """What was done."""

    REVEALED = "revealed"  # somebody looked behind a purchase's tokens
    ACCOUNT_MADE = "account_made"
    ROLE_CHANGED = "role_changed"
    PASSWORD_RESET = "password_reset"  # noqa: S105  a deed
    ACCOUNT_CLOSED = "account_closed"
    ACCOUNT_OPENED = "account_opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One line of the audit log, on ``audit_topic``; written before the deed, never changed.

    A record without a deed (the process died in between) is possible, a deed without a record is
    not.
    """

    schema: str = fact("Message version", pattern=r"audit\.v1")
    record_id: str = fact("Random, one a record", pattern=r"[0-9a-f]{32}")
    at_ms: int = fact(
        "When it was done",
        unit="epoch ms UTC",
        minimum=EARLIEST_EVENT_MS,
        maximum=LATEST_EVENT_MS,
    )
    deed: Deed = fact("What was done")  # noqa: RUF009
    by: str = fact("Who did it: a login", pattern=LABELLER, max_length=64)
    reason: str = fact("Why, in that person's words", max_length=LONGEST_REASON)
    transaction_id: str | None = fact(
        "The purchase that was looked behind", default=None, pattern=IDENTIFIER, max_length=64
    )
    customer_token: str | None = fact(
        "Whose purchase it was", default=None, sensitivity=Sensitivity.PSEUDONYM
    )
    account: str | None = fact(
        "The account that was changed", default=None, pattern=LABELLER, max_length=64
    )
