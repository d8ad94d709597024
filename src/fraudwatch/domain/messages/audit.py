"""An audit record: who did something that nobody may do unseen, when, to what and why."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated

from fraudwatch.domain.messages.fields import Fact, Sensitivity
from fraudwatch.domain.messages.label import LABELLER
from fraudwatch.domain.messages.purchase import EARLIEST_EVENT_MS, IDENTIFIER, LATEST_EVENT_MS

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

    schema: Annotated[str, Fact("Message version", pattern=r"audit\.v1")]
    record_id: Annotated[str, Fact("Random, one a record", pattern=r"[0-9a-f]{32}")]
    at_ms: Annotated[
        int,
        Fact(
            "When it was done",
            unit="epoch ms UTC",
            minimum=EARLIEST_EVENT_MS,
            maximum=LATEST_EVENT_MS,
        ),
    ]
    deed: Annotated[Deed, Fact("What was done")]
    by: Annotated[str, Fact("Who did it: a login", pattern=LABELLER, max_length=64)]
    reason: Annotated[str, Fact("Why, in that person's words", max_length=LONGEST_REASON)]
    transaction_id: Annotated[
        str | None, Fact("The purchase that was looked behind", pattern=IDENTIFIER, max_length=64)
    ] = None
    customer_token: Annotated[
        str | None, Fact("Whose purchase it was", sensitivity=Sensitivity.PSEUDONYM)
    ] = None
    account: Annotated[
        str | None, Fact("The account that was changed", pattern=LABELLER, max_length=64)
    ] = None
