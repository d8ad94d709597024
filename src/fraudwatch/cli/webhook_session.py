"""Open the subscriptions and the outbox of webhooks of this home, with audit records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fraudwatch.cli.command_log import OPERATOR, now_ms, recording
from fraudwatch.domain.messages.audit import AuditAction
from fraudwatch.stack import env_file
from fraudwatch.stack.home import Home, StackError

if TYPE_CHECKING:
    from fraudwatch.adapters.webhooks.sqlite_outbox import SqliteOutbox
    from fraudwatch.application.webhooks.subscriptions import RecordChange, Subscriptions

SUBSCRIPTION_FILE = "webhooks/subscriptions.json"
OUTBOX_FILE = "webhooks/outbox.sqlite3"


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
        yield Subscriptions(file, _recorder(home), now_ms), settings
    except (SubscriptionRefused, StoreUnavailable) as error:
        raise StackError(str(error)) from error


def open_outbox() -> SqliteOutbox:
    """Open this home's outbox.

    Raises:
        StoreUnavailable: it cannot be opened.
    """
    from fraudwatch.adapters.webhooks.sqlite_outbox import SqliteOutbox

    return SqliteOutbox(Home.from_environment().folder / OUTBOX_FILE)


def _recorder(home: Home) -> RecordChange:
    def record(action: AuditAction, subject: str) -> None:
        with recording(home) as (log, reason):
            log.subject_changed(action, OPERATOR, subject, reason)

    return record
