"""Send one mail by SMTP."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

from fraudwatch.orchestration.settings import MailSettings

_IMPLICIT_TLS_PORT = 465
_TIMEOUT_SECONDS = 15.0


def send(settings: MailSettings, mail: EmailMessage) -> None:
    """Send the mail; raises the error of the server or the network."""
    with logged_in(settings) as server:
        server.send_message(mail)


def logged_in(settings: MailSettings) -> smtplib.SMTP:
    """Connect and log in; an error of this means that no mail was sent."""
    server = _connected(settings)
    try:
        if settings.smtp_tls and settings.smtp_port != _IMPLICIT_TLS_PORT:
            server.starttls(context=ssl.create_default_context())
        if settings.smtp_username:
            server.login(settings.smtp_username, settings.smtp_password.get_secret_value())
    except (OSError, smtplib.SMTPException):
        server.close()
        raise
    return server


def _connected(settings: MailSettings) -> smtplib.SMTP:
    host, port = settings.smtp_host, settings.smtp_port
    if port == _IMPLICIT_TLS_PORT:
        return smtplib.SMTP_SSL(
            host, port, timeout=_TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    return smtplib.SMTP(host, port, timeout=_TIMEOUT_SECONDS)
