"""Audit records of the command line, in the console's outbox: the console publishes them."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fraudwatch.application.console.access_log import AccessLog
from fraudwatch.stack.home import Home, StackError

# A system user who may write the home's files needs no login of the console.
OPERATOR: Final = "operator"


@contextmanager
def recording(home: Home) -> Iterator[tuple[AccessLog, str]]:
    """Return the log of this home, and the reason that its records give.

    Raises:
        StackError: a record is not on disk, so the action must not be done.
    """
    from fraudwatch.adapters.audit_outbox_file import audit_outbox

    log = AccessLog(audit_outbox(home.folder / "console"), now_ms)
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
