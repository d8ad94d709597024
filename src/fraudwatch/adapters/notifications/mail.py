"""Mail by SMTP: to staff at least once, to customers at most once.

A failure before the server was given the text is certain; one after that is not.
"""

from __future__ import annotations

import contextlib
import smtplib
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from fraudwatch.application.notifying.customer_notices import (
    AddressRefused,
    NoticeText,
    NoticeUncertain,
    NoticeUnsent,
)
from fraudwatch.application.notifying.ports import (
    ChannelUnavailable,
    MessageRefused,
    StaffMessage,
)
from fraudwatch.orchestration.settings import MailSettings
from fraudwatch.orchestration.smtp import logged_in

_PERMANENT_FROM = 500


class _Unsent(RuntimeError):
    """The server did not get the text of the mail."""


class StaffMail:
    """``StaffChannel`` by mail."""

    name = "mail"

    def __init__(self, settings: MailSettings, *, sender: str, recipient: str) -> None:
        """``settings`` name the server; the other two are this channel's own."""
        self._settings, self._sender, self._recipient = settings, sender, recipient

    def send(self, message: StaffMessage) -> None:
        mail = _mail(self._sender, self._recipient, message.subject, message.text)
        mail["Message-ID"] = f"<{message.message_id}@{_domain_of(self._sender)}>"
        # The time of composition, so that a repeated mail is the same to the last byte.
        composed_at = datetime.fromtimestamp(message.composed_at_ms / 1000, UTC)
        mail["Date"] = format_datetime(composed_at)
        mail["Auto-Submitted"] = "auto-generated"
        try:
            _send(self._settings, mail)
        except smtplib.SMTPDataError as error:
            if error.smtp_code >= _PERMANENT_FROM:
                raise MessageRefused(f"the mail server refused the mail: {error}") from error
            raise ChannelUnavailable(f"the mail server is not ready: {error}") from error
        except (OSError, smtplib.SMTPException, _Unsent) as error:
            raise ChannelUnavailable(
                f"{self._settings.smtp_host}:{self._settings.smtp_port} takes no mail ({error}); "
                "check AIRFLOW_EMAIL_* and NOTIFIER_MAIL_TO in .env"
            ) from error


class CustomerMail:
    """Sends a notice to a customer's mail address."""

    def __init__(self, settings: MailSettings, *, sender: str) -> None:
        """``settings`` name the server."""
        self._settings, self._sender = settings, sender

    def send(self, address: str, text: NoticeText, notice_id: str) -> None:
        """See :class:`fraudwatch.application.notifying.customer_notices.NoticeSender`."""
        mail = _mail(self._sender, address, text.subject, text.text)
        mail["Message-ID"] = f"<{notice_id}@{_domain_of(self._sender)}>"
        mail["Auto-Submitted"] = "auto-generated"
        # Errors quote the address, so they are neither chained nor logged.
        try:
            _send(self._settings, mail)
        except (smtplib.SMTPSenderRefused, _Unsent) as error:
            raise NoticeUnsent(f"the mail server takes no mail ({type(error).__name__})") from None
        except smtplib.SMTPNotSupportedError:
            raise AddressRefused("the mail server cannot take this address") from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            if all(code >= _PERMANENT_FROM for code in codes):
                raise AddressRefused("the mail server refuses this address") from None
            raise NoticeUnsent("the mail server does not take this address now") from None
        except smtplib.SMTPDataError as error:
            if error.smtp_code >= _PERMANENT_FROM:
                raise AddressRefused("the mail server refuses this mail") from None
            raise NoticeUnsent("the mail server does not take the mail now") from None
        except (OSError, smtplib.SMTPException) as error:
            raise NoticeUncertain(
                f"the mail server did not confirm the mail ({type(error).__name__})"
            ) from None


def _send(settings: MailSettings, mail: EmailMessage) -> None:
    try:
        server = logged_in(settings)
    except (OSError, smtplib.SMTPException) as error:
        raise _Unsent(str(error)) from error
    try:
        server.send_message(mail)
        # It was accepted; whatever comes after that changes nothing.
        with contextlib.suppress(OSError, smtplib.SMTPException):
            server.quit()
    finally:
        server.close()


def _mail(sender: str, recipient: str, subject: str, text: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, recipient, subject
    mail.set_content(text)
    return mail


def _domain_of(address: str) -> str:
    return address.rpartition("@")[2].rstrip(">") or "localhost"
