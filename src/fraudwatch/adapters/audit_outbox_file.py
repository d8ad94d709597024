"""Audit outbox in the console's folder: command line and console append, the console publishes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.jsonl_journal import JsonlJournal
from fraudwatch.application.console.audit_outbox import OUTBOX_FILE, AuditOutbox
from fraudwatch.domain.messages.audit import AuditRecord


def audit_outbox(console_folder: Path) -> AuditOutbox:
    """Return the outbox of the console in this folder."""
    return AuditOutbox(
        JsonlJournal(console_folder / OUTBOX_FILE), encode, partial(decode, AuditRecord)
    )
