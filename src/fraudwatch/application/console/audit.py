"""The audit log: who did what nobody may do unseen, on its topic before it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from fraudwatch.application.ports import Publisher
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import problems


class AuditLog(Protocol):
    """Where a deed is written down before it is done."""

    def write(self, record: AuditRecord) -> None:
        """Return when the record can no longer be lost; only then may the deed be done.

        Raises:
            Refused: the record breaks its bounds.
            NotDelivered: it is not known to be written, so nothing may be done.
        """


@dataclass(frozen=True, slots=True)
class PublishedAudit:
    """The audit log as messages that the broker acknowledges, one person's in their order."""

    topic: Publisher
    encode: Callable[[Any], bytes]

    def write(self, record: AuditRecord) -> None:
        """See :class:`AuditLog`."""
        if broken := problems(record):
            raise Refused(Code.OUT_OF_BOUNDS, broken)
        self.topic.publish([(record.by, self.encode(record), record.at_ms)])
