"""Audit outbox: records of what must also work while the broker is down, published afterwards.

A record is on disk before the action. It is published at least once, and its id makes the copies
one row of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from fraudwatch.application.console.audit import AuditLog
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import problems

# In the console's folder; the command line appends to it as well, and the console publishes all.
OUTBOX_FILE: Final = "audit_outbox.jsonl"
_RECORD: Final = "record"


class Journal(Protocol):
    """Durable list of entries, shared by processes."""

    def append(self, entry: Mapping[str, Any]) -> None:
        """Append an entry, on disk before this returns."""

    def entries(self) -> list[dict[str, Any]]:
        """Return all entries, oldest first."""

    def compact(
        self, select: Callable[[list[dict[str, Any]]], Sequence[Mapping[str, Any]]]
    ) -> None:
        """Replace the entries by the selected ones; appending processes wait."""


@dataclass(frozen=True, slots=True)
class AuditOutbox:
    """Keeps records on disk, and publishes them when the broker acknowledges."""

    journal: Journal
    encode: Callable[[AuditRecord], bytes]
    decode: Callable[[bytes], AuditRecord]

    def note(self, record: AuditRecord) -> None:
        """Keep a record; it is on disk when this returns, and only then may the action be done.

        Raises:
            Refused: the record breaks its bounds.
            OSError: the record is not on disk.
        """
        if broken := problems(record):
            raise Refused(Code.OUT_OF_BOUNDS, broken)
        self.journal.append({_RECORD: self.encode(record).decode()})

    @property
    def is_empty(self) -> bool:
        """Whether no record waits."""
        return not self.journal.entries()

    def deliver(self, published: AuditLog) -> int:
        """Publish the kept records, oldest first, and remove them; return how many.

        Raises:
            NotDelivered: the broker does not acknowledge; the rest is kept.
        """
        sent = 0
        try:
            for entry in self.journal.entries():
                published.write(self.decode(entry[_RECORD].encode()))
                sent += 1
        finally:
            if sent:
                # Others may have appended meanwhile, never before these.
                self.journal.compact(lambda entries: entries[sent:])
        return sent
