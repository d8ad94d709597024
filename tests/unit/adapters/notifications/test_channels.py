"""Mail, chat and SMS channels: what a failure means for the message."""

from __future__ import annotations

import json
import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from fraudwatch.adapters.notifications.chat_webhook import ChatWebhook
from fraudwatch.adapters.notifications.http_addresses import checked_url
from fraudwatch.adapters.notifications.mail import CustomerMail, StaffMail
from fraudwatch.adapters.notifications.sms_gateway import SmsGateway
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
from fraudwatch.domain.notifications.staff_policy import MessageKind
from fraudwatch.orchestration.settings import MailSettings
from fraudwatch.samples import NOON_MS
from tests.ports import free_port

MESSAGE = StaffMessage(
    channel="mail",
    message_id="0123456789abcdef",
    kind=MessageKind.CRITICAL,
    customer_tokens=frozenset(),
    verdict_ids=("v",),
    subject="CRITICAL: 1,200.00 €",
    text="<one> & two",
    composed_at_ms=NOON_MS,
)
TEXT = NoticeText("We declined a payment", "Hello\n")
SECRET_URL = "https://hooks.example/T0/B0/secret"


class Sink:
    """An SMTP handler that collects mails and answers as a test says."""

    def __init__(self, data: str = "250 OK", recipient: str = "250 OK") -> None:
        self.mails: list[bytes] = []
        self._data, self._recipient = data, recipient

    async def handle_RCPT(  # noqa: N802  aiosmtpd calls it by this name
        self, _s: object, _session: object, envelope: Envelope, address: str, _options: object
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self._recipient

    async def handle_DATA(  # noqa: N802  aiosmtpd calls it by this name
        self, _s: object, _session: object, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails.append(envelope.content)
        return self._data


def settings(port: int) -> MailSettings:
    return MailSettings(
        recipient="oncall@example.test",
        smtp_host="127.0.0.1",
        smtp_port=port,
        smtp_from="airflow@example.test",
    )


@contextmanager
def serving(sink: Sink) -> Iterator[int]:
    controller = Controller(sink, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@contextmanager
def hanging_up_after_the_text() -> Iterator[int]:
    """Accept a mail's text and close the connection without an answer."""

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rwb", buffering=0) as lines:
            lines.write(b"220 ready\r\n")
            while line := lines.readline():
                if line.upper().startswith(b"DATA"):
                    lines.write(b"354 go on\r\n")
                    while lines.readline() not in {b".\r\n", b""}:
                        pass
                    return
                lines.write(b"250 OK\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(timeout=5)


def staff(port: int) -> StaffMail:
    return StaffMail(settings(port), sender="alerts@fraud.example", recipient="a@fraud.example")


def customer(port: int) -> CustomerMail:
    return CustomerMail(settings(port), sender="service@fraud.example")


def test_a_repeated_staff_mail_is_the_same_to_the_last_byte() -> None:
    sink = Sink()
    with serving(sink) as port:
        staff(port).send(MESSAGE)
        staff(port).send(MESSAGE)
    assert sink.mails[0] == sink.mails[1]
    text = sink.mails[0].decode()
    assert "Message-ID: <0123456789abcdef@fraud.example>" in text
    assert "Date: Thu, 15 Jan 2026 12:00:00 +0000" in text


@pytest.mark.parametrize(
    ("sink", "error"),
    [
        (Sink(data="451 later"), ChannelUnavailable),
        (Sink(data="554 spam"), MessageRefused),
        (Sink(recipient="550 unknown"), ChannelUnavailable),
    ],
)
def test_a_refused_staff_mail_blocks_the_channel_unless_the_mail_is_the_cause(
    sink: Sink, error: type[Exception]
) -> None:
    with serving(sink) as port, pytest.raises(error):
        staff(port).send(MESSAGE)


def test_without_a_mail_server_staff_mail_is_unavailable_and_names_the_setting() -> None:
    with pytest.raises(ChannelUnavailable, match="AIRFLOW_EMAIL_"):
        staff(free_port()).send(MESSAGE)


def test_a_notice_is_mailed_with_a_stable_id() -> None:
    sink = Sink()
    with serving(sink) as port:
        customer(port).send("erika@example.org", TEXT, "notice-1")
    text = sink.mails[0].decode()
    assert "To: erika@example.org" in text
    assert "Message-ID: <notice-1@fraud.example>" in text


@pytest.mark.parametrize(
    ("sink", "error"),
    [
        (Sink(data="451 later"), NoticeUnsent),
        (Sink(data="554 spam"), AddressRefused),
        (Sink(recipient="550 unknown"), AddressRefused),
        (Sink(recipient="450 greylisted"), NoticeUnsent),
    ],
)
def test_a_refused_notice_was_not_sent(sink: Sink, error: type[Exception]) -> None:
    with serving(sink) as port, pytest.raises(error) as found:
        customer(port).send("erika@example.org", TEXT, "notice-1")
    assert "erika" not in str(found.value)
    assert found.value.__cause__ is None


def test_a_notice_before_the_text_is_unsent_and_after_it_uncertain() -> None:
    with pytest.raises(NoticeUnsent):
        customer(free_port()).send("erika@example.org", TEXT, "notice-1")
    with hanging_up_after_the_text() as port, pytest.raises(NoticeUncertain):
        customer(port).send("erika@example.org", TEXT, "notice-1")


def test_a_quit_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: smtplib.SMTP) -> None:
        raise smtplib.SMTPResponseException(421, b"too late")

    monkeypatch.setattr(smtplib.SMTP, "quit", fail)
    sink = Sink()
    with serving(sink) as port:
        customer(port).send("erika@example.org", TEXT, "notice-1")
    assert len(sink.mails) == 1


def answering(status: int, collected: list[httpx.Request] | None = None) -> httpx.MockTransport:
    def handle(request: httpx.Request) -> httpx.Response:
        if collected is not None:
            collected.append(request)
        return httpx.Response(status)

    return httpx.MockTransport(handle)


def failing(error: Exception) -> httpx.MockTransport:
    def handle(_: httpx.Request) -> httpx.Response:
        raise error

    return httpx.MockTransport(handle)


def test_a_chat_message_is_escaped() -> None:
    requests: list[httpx.Request] = []
    ChatWebhook(SECRET_URL, transport=answering(200, requests)).send(MESSAGE)
    assert json.loads(requests[0].content) == {
        "text": "CRITICAL: 1,200.00 €\n&lt;one&gt; &amp; two"
    }


@pytest.mark.parametrize(
    ("transport", "error"),
    [
        (answering(500), ChannelUnavailable),
        (answering(429), ChannelUnavailable),
        (answering(404), ChannelUnavailable),
        (answering(302), ChannelUnavailable),
        (failing(httpx.ConnectError("no route to secret")), ChannelUnavailable),
        (answering(400), MessageRefused),
    ],
)
def test_a_failed_chat_message_never_shows_the_address(
    transport: httpx.MockTransport, error: type[Exception]
) -> None:
    with pytest.raises(error) as found:
        ChatWebhook(SECRET_URL, transport=transport).send(MESSAGE)
    assert "secret" not in str(found.value)


@pytest.mark.parametrize(
    ("transport", "error"),
    [
        (answering(503), NoticeUnsent),
        (answering(429), NoticeUnsent),
        (failing(httpx.ConnectError("refused")), NoticeUnsent),
        (answering(400), AddressRefused),
        (answering(500), NoticeUncertain),
        (failing(httpx.ReadTimeout("slow")), NoticeUncertain),
    ],
)
def test_a_failed_text_message_says_whether_it_was_sent(
    transport: httpx.MockTransport, error: type[Exception]
) -> None:
    with pytest.raises(error):
        SmsGateway("https://sms.example", "key", transport=transport).send("+49151", TEXT, "n")


def test_a_text_message_has_its_id_and_the_key() -> None:
    requests: list[httpx.Request] = []
    gateway = SmsGateway("https://sms.example", "key", transport=answering(202, requests))
    gateway.send("+4915112345678", NoticeText("", "declined"), "notice-1")
    assert json.loads(requests[0].content) == {
        "id": "notice-1",
        "to": "+4915112345678",
        "text": "declined",
    }
    assert requests[0].headers["Authorization"] == "Bearer key"


@pytest.mark.parametrize(
    "url", ["https://hooks.example/x", "http://127.0.0.1:8025/chat", "http://localhost/chat"]
)
def test_addresses_are_https_or_on_loopback(url: str) -> None:
    assert checked_url(url, "NOTIFIER_CHAT_URL") == url


@pytest.mark.parametrize("url", ["none", "auto"])
def test_no_address_is_no_channel(url: str) -> None:
    assert checked_url(url, "NOTIFIER_CHAT_URL") is None


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example/x", "ftp://127.0.0.1/x", "https:///x", "", "http://127.0.0.1.evil/x"],
)
def test_any_other_address_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match="NOTIFIER_CHAT_URL must be an https address") as found:
        checked_url(url, "NOTIFIER_CHAT_URL")
    assert not url or url not in str(found.value)
