"""Define the events of webhooks: what a client reads about a verdict or a decision.

They have no personal data: a purchase is known by its id, which its source gave it. The customer
token is left out as well. A source knows its own customer, and by the token two clients could find
out which customers they share.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.purchase import SOURCE_SEPARATOR
from fraudwatch.domain.messages.verdict import Outcome, Verdict
from fraudwatch.domain.webhooks.subscription import EventKind

# Our own namespace for UUIDv5: the id of an event follows from what happened and for whom.
_NAMESPACE: Final = uuid.UUID("3b0d8c1e-52f4-5c0a-9d7e-6a1c4f0b2e85")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One verdict or decision, before it is known who gets it."""

    kind: EventKind
    identity: str
    transaction_id: str
    customer_token: str | None  # of a decision it is unknown
    published_at_ms: int
    body: Mapping[str, Any]

    @property
    def source(self) -> str:
        """Return the source of its purchase."""
        return self.transaction_id.partition(SOURCE_SEPARATOR)[0]

    def webhook_id(self, subscription_id: str) -> str:
        """Return its id for a subscription: the same at every attempt and after every replay."""
        return str(uuid.uuid5(_NAMESPACE, f"{subscription_id} {self.kind} {self.identity}"))


def verdict_event(verdict: Verdict, published_at_ms: int) -> Event | None:
    """Return the event of a verdict; None for an approval."""
    if verdict.outcome is Outcome.APPROVE:
        return None
    # The reasons are those of the answer to a synchronous purchase: its source may read them.
    data = {
        **_purchase(verdict.transaction_id),
        "verdict_id": verdict.verdict_id,
        "outcome": verdict.outcome,
        "risk": verdict.risk,
        "score": verdict.score,
        "reasons": [
            {"rule": one.rule, "points": one.points, "text": one.text} for one in verdict.reasons
        ],
        "policy_version": verdict.policy_version,
        "features_version": verdict.features_version,
        "models": [
            {"model": one.model, "version": one.version, "score": one.score}
            for one in verdict.model_scores
        ],
    }
    return Event(
        kind=EventKind.VERDICT,
        identity=verdict.verdict_id,
        transaction_id=verdict.transaction_id,
        customer_token=verdict.customer_token,
        published_at_ms=published_at_ms,
        body=_body(EventKind.VERDICT, verdict.decided_at_ms, data),
    )


def decision_event(label: Label, published_at_ms: int) -> Event | None:
    """Return the event of a decision; None for a label that leaves the alert open.

    The analyst's login and note are left out: they are about staff, and for staff.
    """
    if not label.decides:
        return None
    data = {
        **_purchase(label.transaction_id),
        "decision": label.verdict,
        "decided_by": label.source,
    }
    identity = (
        f"{label.transaction_id} {label.source} {label.by} {label.known_at_ms} {label.verdict}"
    )
    return Event(
        kind=EventKind.DECISION,
        identity=identity,
        transaction_id=label.transaction_id,
        customer_token=None,
        published_at_ms=published_at_ms,
        body=_body(EventKind.DECISION, label.known_at_ms, data),
    )


def _purchase(transaction_id: str) -> dict[str, str]:
    source, _, own_id = transaction_id.partition(SOURCE_SEPARATOR)
    return {"transaction_id": transaction_id, "source": source, "id": own_id}


def _body(kind: EventKind, at_ms: int, data: Mapping[str, Any]) -> dict[str, Any]:
    at = datetime.fromtimestamp(at_ms // 1_000, UTC).replace(microsecond=at_ms % 1_000 * 1_000)
    timestamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"type": kind, "timestamp": timestamp, "data": data}
