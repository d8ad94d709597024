"""One decision on several open cases: of one customer, card, device or network, or all of them."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.alerts import Alert
from fraudwatch.application.console.audit import AuditLog
from fraudwatch.application.console.casework import Claims, Shared
from fraudwatch.application.ports import NotDelivered, Publisher
from fraudwatch.domain.messages.audit import (
    AUDIT_SCHEMA,
    LONGEST_REASON,
    SHORTEST_REASON,
    AuditAction,
    AuditRecord,
)
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Problem, problems
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source

# More than an analyst can look through before one decision on all of them.
MAX_GROUP: Final = 200
_AT_ONCE: Final = 50


class GroupBy(enum.StrEnum):
    """Property that the cases of a group have in common."""

    CUSTOMER = "customer_token"
    CARD = "card_token"
    DEVICE = "device_token"
    IP_NETWORK = "ip_network_token"
    CAMPAIGN = "campaign"  # any of the above


def groups_of(
    case: Alert, alerts: Iterable[Alert], shared: Mapping[Shared, Collection[str]]
) -> dict[GroupBy, list[Alert]]:
    """Return the open alerts that have something in common with a case, without the case itself.

    Args:
        case: the case.
        alerts: all open alerts.
        shared: transaction ids with the case's card, device and network.
    """
    others = [one for one in alerts if one.transaction_id != case.transaction_id]
    names = {GroupBy(what): frozenset(ids) for what, ids in shared.items()}
    groups = {
        GroupBy.CUSTOMER: [one for one in others if one.customer_token == case.customer_token],
        **{by: [one for one in others if one.transaction_id in ids] for by, ids in names.items()},
    }
    members = {one.transaction_id for group in groups.values() for one in group}
    groups[GroupBy.CAMPAIGN] = [one for one in others if one.transaction_id in members]
    return {by: group for by, group in groups.items() if group}


@dataclass(frozen=True, slots=True)
class GroupDecision:
    """Result: the decided cases, and the others with the reason, by transaction id."""

    decided: Sequence[str]
    failed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GroupDecisions:
    """Publishes one decision as a label for each case; audited first."""

    topic: Publisher
    claims: Claims
    encode: Callable[[Any], bytes]
    audit_log: Callable[[], AuditLog]

    def decide(
        self,
        person: Person,
        transaction_ids: Sequence[str],
        decision: tuple[LabelValue, str],
        *,
        at_ms: int,
    ) -> GroupDecision:
        """Publish the decision; cases that another analyst has claimed are left out and named.

        With the same ``at_ms`` a repeat publishes the same labels, which changes nothing: so what
        failed may be sent again with the rest.

        Raises:
            Forbidden: the person's role does not decide.
            Refused: too many cases, or the note breaks its bounds: it must say why.
            NotDelivered: the audit record may not be written, so nothing was decided.
            StoreUnavailable: the claims cannot be read, so nothing was decided.
        """
        person.require(Right.DECIDE)
        value, note = decision[0], decision[1].strip()
        names = list(dict.fromkeys(transaction_ids))
        labels = [_label(person, name, (value, note), at_ms) for name in names]
        if broken := [*_group_problems(names, note), *(labels and problems(labels[0]))]:
            raise Refused(Code.OUT_OF_BOUNDS, broken)
        claims = self.claims.active_claims()
        failed = {
            name: f"{claims[name]} works on it"
            for name in names
            if claims.get(name, person.login) != person.login
        }
        free = [label for label in labels if label.transaction_id not in failed]
        if free:
            self.audit_log().write(_record(person, free, note, at_ms))
        decided, undelivered = self._publish(free, at_ms)
        failed |= dict.fromkeys(undelivered, "Kafka did not acknowledge it")
        for name in decided:
            if claims.get(name) == person.login:
                self.claims.release(name, person.login)
        return GroupDecision(decided, failed)

    def _publish(self, labels: Sequence[Label], at_ms: int) -> tuple[list[str], list[str]]:
        """Publish some at once; after the first failure the rest counts as failed."""
        names = [label.transaction_id for label in labels]
        for start in range(0, len(labels), _AT_ONCE):
            some = labels[start : start + _AT_ONCE]
            try:
                self.topic.publish([(one.transaction_id, self.encode(one), at_ms) for one in some])
            except NotDelivered:
                return names[:start], names[start:]
        return names, []


def _group_problems(names: Sequence[str], note: str) -> list[Problem]:
    found = []
    if not 1 <= len(names) <= MAX_GROUP:
        found.append(Problem("cases", f"must be 1 to {MAX_GROUP}"))
    if len(note) < SHORTEST_REASON:
        found.append(Problem("note", f"must have at least {SHORTEST_REASON} characters"))
    return found


def _label(person: Person, name: str, decision: tuple[LabelValue, str], at_ms: int) -> Label:
    return Label(
        schema=LABEL_SCHEMA,
        transaction_id=name,
        verdict=decision[0],
        source=Source.ANALYST,
        by=person.login,
        known_at_ms=at_ms,
        note=decision[1],
    )


def _record(person: Person, labels: Sequence[Label], note: str, at_ms: int) -> AuditRecord:
    what = f"{len(labels)} cases: {labels[0].verdict}. {note}"
    return AuditRecord(
        schema=AUDIT_SCHEMA,
        record_id=uuid.uuid4().hex,
        at_ms=at_ms,
        deed=AuditAction.CASES_DECIDED,
        by=person.login,
        reason=what[:LONGEST_REASON],
        transaction_id=labels[0].transaction_id,
    )
