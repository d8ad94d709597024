"""Open the subscriptions and the outbox of webhooks of this home, with audit records."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fraudwatch.stack import env_file
from fraudwatch.stack.home import Home, StackError

if TYPE_CHECKING:
    from fraudwatch.adapters.webhooks.sqlite_outbox import SqliteOutbox
    from fraudwatch.application.webhooks.subscriptions import RecordChange, Subscriptions

SUBSCRIPTION_FILE = "webhooks/subscriptions.json"
OUTBOX_FILE = "webhooks/outbox.sqlite3"
_OPERATOR = "operator"


@contextmanager
def open_subscriptions() -> Iterator[tuple[Subscriptions, dict[str, str]]]:
    """Open this home's subscriptions, and its settings.

    Raises:
        StackError: a change breaks a rule, or a file cannot be used.
    """
    from fraudwatch.adapters.webhooks.subscription_file import SubscriptionFile
    from fraudwatch.application.ports import StoreUnavailable
    from fraudwatch.application.webhooks.subscriptions import SubscriptionRefused, Subscriptions

    home = Home.from_environment()
    home.make_folders()
    settings = env_file.ensure(home)
    file = SubscriptionFile(home.folder / SUBSCRIPTION_FILE)
    try:
        yield Subscriptions(file, _recorder(home.folder / "console"), now_ms), settings
    except (SubscriptionRefused, StoreUnavailable) as error:
        raise StackError(str(error)) from error


def open_outbox() -> SqliteOutbox:
    """Open this home's outbox.

    Raises:
        StoreUnavailable: it cannot be opened.
    """
    from fraudwatch.adapters.webhooks.sqlite_outbox import SqliteOutbox

    return SqliteOutbox(Home.from_environment().folder / OUTBOX_FILE)


def _recorder(folder: Path) -> RecordChange:
    from fraudwatch.adapters.codecs.json_codec import decode, encode
    from fraudwatch.adapters.jsonl_journal import JsonlJournal
    from fraudwatch.application.console.access_log import AccessLog
    from fraudwatch.application.console.audit_outbox import OUTBOX_FILE as AUDIT_FILE
    from fraudwatch.application.console.audit_outbox import AuditOutbox
    from fraudwatch.domain.messages.audit import AuditAction, AuditRecord

    outbox = AuditOutbox(JsonlJournal(folder / AUDIT_FILE), encode, partial(decode, AuditRecord))
    log = AccessLog(outbox, now_ms)
    reason = f"on the command line, by the system's user {getpass.getuser()}"

    def record(action: AuditAction, subject: str) -> None:
        try:
            log.webhooks_changed(action, _OPERATOR, subject, reason)
        except OSError as error:
            raise StackError(
                f"the change cannot be recorded ({error}), so nothing was changed; make room on "
                "the disk and try again"
            ) from error

    return record


def now_ms() -> int:
    """Return the time of now."""
    return time.time_ns() // 1_000_000
