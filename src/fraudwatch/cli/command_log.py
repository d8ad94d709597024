"""Audit records of the command line, in the console's outbox: the console publishes them."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from fraudwatch.application.console.access_log import AccessLog
from fraudwatch.application.console.audit_outbox import OUTBOX_FILE, AuditOutbox
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.stack.home import Home, StackError

# A system user who may write the home's files needs no login of the console.
OPERATOR: Final = "operator"


@contextmanager
def recording(home: Home) -> Iterator[tuple[AccessLog, str]]:
    """Return the log of this home, and the reason that its records give.

    Raises:
        StackError: a record is not on disk, so the action must not be done.
    """
    from fraudwatch.adapters.codecs.json_codec import decode, encode
    from fraudwatch.adapters.jsonl_journal import JsonlJournal

    journal = JsonlJournal(home.folder / "console" / OUTBOX_FILE)
    log = AccessLog(AuditOutbox(journal, encode, partial(decode, AuditRecord)), now_ms)
    try:
        yield log, f"on the command line, by the system's user {getpass.getuser()}"
    except OSError as error:
        raise StackError(
            f"the change cannot be recorded ({error}), so nothing was changed; make room on "
            "the disk and try again"
        ) from error


def now_ms() -> int:
    """Return the time as epoch ms."""
    return time.time_ns() // 1_000_000
