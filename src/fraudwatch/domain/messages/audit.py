"""Define the audit record of a privileged action: who did what to which target, when and why."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated

from fraudwatch.domain.messages.fields import Fact, Sensitivity
from fraudwatch.domain.messages.label import LABELLER
from fraudwatch.domain.messages.purchase import (
    EARLIEST_EVENT_MS,
    IDENTIFIER,
    LATEST_EVENT_MS,
    LONGEST_TRANSACTION_ID,
)

AUDIT_SCHEMA = "audit.v1"
SHORTEST_REASON, LONGEST_REASON = 10, 500


class AuditAction(enum.StrEnum):
    """Privileged action that is recorded."""

    REVEALED = "revealed"  # sealed fields of a purchase were opened
    NOTIFIED = "notified"  # sealed fields were opened to notify the customer
    ACCOUNT_MADE = "account_made"
    ROLE_CHANGED = "role_changed"
    PASSWORD_RESET = "password_reset"  # noqa: S105  an action
    ACCOUNT_CLOSED = "account_closed"
    ACCOUNT_OPENED = "account_opened"
    KEY_MADE = "key_made"  # an API key
    KEY_REVOKED = "key_revoked"
    WEBHOOK_ADDED = "webhook_added"
    WEBHOOK_REMOVED = "webhook_removed"
    WEBHOOK_SECRET_ROTATED = "webhook_secret_rotated"  # noqa: S105  an action
    WEBHOOK_REPLAYED = "webhook_replayed"
    LOGGED_IN = "logged_in"
    LOGIN_REFUSED = "login_refused"
    CASE_VIEWED = "case_viewed"
    EXPORTED = "exported"
    CASE_ASSIGNED = "case_assigned"  # to or from another person
    CASES_DECIDED = "cases_decided"  # several cases with one decision
    REVIEW_REQUESTED = "review_requested"  # by a customer, filed by the actor
    REVIEW_DECIDED = "review_decided"
    POLICY_PROPOSED = "policy_proposed"
    POLICY_REJECTED = "policy_rejected"
    POLICY_PROMOTED = "policy_promoted"
    POLICY_ROLLED_BACK = "policy_rolled_back"
    POLICY_CHANGED_ALONE = "policy_changed_alone"  # without a second person
    SHADOW_STARTED = "shadow_started"  # a comparison of a candidate with the live verdicts
    SHADOW_STOPPED = "shadow_stopped"
    MODEL_APPROVED = "model_approved"
    MODEL_ROLLED_BACK = "model_rolled_back"
    CANARY_STARTED = "canary_started"  # a model scores a share of the customers
    CANARY_ENDED = "canary_ended"
    CANARY_ROLLED_BACK = "canary_rolled_back"  # by itself: it left the band


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One audit record, on ``audit_topic``; written before the action, never changed.

    Logins, views and exports are on disk before they are allowed, and published soon afterwards. A
    record without its action (the process died in between) is possible, an action without a record
    is not.
    """

    schema: Annotated[str, Fact("Message version", pattern=r"audit\.v1")]
    record_id: Annotated[str, Fact("Random, one a record", pattern=r"[0-9a-f]{32}")]
    at_ms: Annotated[
        int,
        Fact(
            "Time of the action",
            unit="epoch ms UTC",
            minimum=EARLIEST_EVENT_MS,
            maximum=LATEST_EVENT_MS,
        ),
    ]
    deed: Annotated[AuditAction, Fact("Audit action")]
    by: Annotated[str, Fact("Actor: a login", pattern=LABELLER, max_length=64)]
    reason: Annotated[str, Fact("Why, in the actor's words", max_length=LONGEST_REASON)]
    transaction_id: Annotated[
        str | None,
        Fact(
            "The purchase that it was done to",
            pattern=IDENTIFIER,
            max_length=LONGEST_TRANSACTION_ID,
        ),
    ] = None
    customer_token: Annotated[
        str | None, Fact("Customer of that purchase", sensitivity=Sensitivity.PSEUDONYM)
    ] = None
    account: Annotated[
        str | None, Fact("The account that was changed", pattern=LABELLER, max_length=64)
    ] = None
    subject: Annotated[
        str | None,
        Fact("What it was done to: a key, a policy version, a case", max_length=200),
    ] = None
