"""Audit log: records of privileged actions, on their topic before the action is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from fraudwatch.application.ports import Publisher
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import problems


class AuditLog(Protocol):
    """Log of privileged actions, written before the action."""

    def write(self, record: AuditRecord) -> None:
        """Write a record; it is durable when this returns, and only then may the action be done.

        Raises:
            Refused: the record breaks its bounds.
            NotDelivered: the record may not have been written, so the action must not be done.
        """


@dataclass(frozen=True, slots=True)
class PublishedAudit:
    """Audit log as acknowledged messages, keyed by login so that each login's stay in order."""

    topic: Publisher
    encode: Callable[[Any], bytes]

    def write(self, record: AuditRecord) -> None:
        """See :class:`AuditLog`."""
        if broken := problems(record):
            raise Refused(Code.OUT_OF_BOUNDS, broken)
        self.topic.publish([(record.by, self.encode(record), record.at_ms)])
