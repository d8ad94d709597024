"""Mail incidents: one mail for all that begin at the same check, one for all that ended."""

from __future__ import annotations

import logging
import smtplib
import socket
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Final

from fraudwatch.orchestration.settings import MailSettings
from fraudwatch.orchestration.smtp import send
from fraudwatch.stack.incidents import Incident

# While the mail server is down; older ones are dropped.
MAX_WAITING: Final = 100
RUNBOOK: Final = "docs/runbooks/service_given_up.md"
log = logging.getLogger("watchdog")


class Outbox:
    """Mails in order, each kept until the server has accepted it."""

    def __init__(
        self,
        settings: MailSettings,
        send_mail: Callable[[MailSettings, EmailMessage], None] = send,
    ) -> None:
        self._settings = settings
        self._send = send_mail
        self._waiting = deque[EmailMessage](maxlen=MAX_WAITING)
        self._is_failing = False

    def add(self, mail: EmailMessage) -> None:
        """Address a mail and queue it."""
        mail["From"], mail["To"] = self._settings.smtp_from, self._settings.recipient
        self._waiting.append(mail)

    def flush(self) -> None:
        """Send what waits; a server that does not answer is logged once, and tried next time."""
        try:
            while self._waiting:
                self._send(self._settings, self._waiting[0])
                self._waiting.popleft()
        except (OSError, smtplib.SMTPException) as error:
            if not self._is_failing:
                log.error(  # noqa: TRY400  no stack: the server is the cause, not this code
                    "mails are not accepted by %s:%d (%s), so they wait; check AIRFLOW_EMAIL_* "
                    "in .env", self._settings.smtp_host, self._settings.smtp_port, error,
                )  # fmt: skip
            self._is_failing = True
            return
        self._is_failing = False


def opened_mail(incidents: Iterable[Incident], reason_of: Callable[[str], str]) -> EmailMessage:
    """Build the mail about new incidents; ``reason_of`` returns a service's last log sentence."""
    found = tuple(incidents)
    facts = "\n".join(f"- {described(one)}; its log: {reason_of(one.service)}" for one in found)
    names = ", ".join(one.service for one in found)
    return _mail(
        f"{names}: {'/'.join(sorted({one.kind for one in found}))}",
        f"{facts}\n\nThe watchdog restarts each again by itself, at most every 15 minutes, and "
        f"mails when it works.\n\nWhat to do: {RUNBOOK}; ./fraudwatch logs {found[0].service}\n",
    )


def recovered_mail(incidents: Iterable[Incident], now: float) -> EmailMessage:
    """Build the mail about incidents that have ended."""
    found = tuple(incidents)
    names = ", ".join(one.service for one in found)
    lines = [
        f"- {one.service} was {one.kind} from {_utc(one.began_at)} to {_utc(now)} UTC; "
        f"restarts by the watchdog: {one.restarts}"
        for one in found
    ]
    return _mail(f"{names}: recovered", "\n".join(lines) + "\n")


def described(incident: Incident) -> str:
    """Describe a new incident in one sentence, for the log and the mail."""
    since = _utc(incident.began_at)
    if incident.kind == "hung":
        return f"{incident.service} is hung: it runs but is not ready ({since} UTC)"
    return f"{incident.service} is given up: its process exits at every start ({since} UTC)"


def _mail(subject: str, text: str) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = f"[fraudwatch] {subject} on {socket.gethostname()}"
    mail.set_content(text)
    return mail


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
