"""The mailbox over real SMTP and its pages over real HTTP."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from dev_mail.mailbox import LOOPBACK, MAX_BYTES, create_app
from dev_mail.mails import Mails
from dev_mail.text_messages import TextMessages
from tests.ports import free_port


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def client(tmp_path: Path, port: int) -> Iterator[TestClient]:
    texts = (TextMessages(tmp_path / f"{name}.jsonl", max_kept=2) for name in ("sms", "chat"))
    app = create_app(Mails(tmp_path / "mailbox"), *texts, smtp_port=port)
    with TestClient(app, base_url="http://127.0.0.1") as started:
        yield started


def mail(subject: str = "it failed", text: str = "why") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "airflow@example.test", "ops@example.test"
    message["Subject"] = subject
    message.set_content(text)
    return message


def send(port: int, raw: bytes) -> None:
    with smtplib.SMTP(LOOPBACK, port, timeout=30) as server:
        server.sendmail("airflow@example.test", ["ops@example.test"], raw)


def only_mail(client: TestClient) -> str:
    listing = client.get("/").text
    path = listing.partition('href="')[2].partition('"')[0]
    response = client.get(path)
    assert response.status_code == 200
    return response.text


def test_an_empty_mailbox_has_a_hint_and_is_healthy(client: TestClient) -> None:
    assert "No mail yet" in client.get("/").text
    assert client.get("/health").status_code == 200


def test_a_mail_is_listed_and_read(client: TestClient, port: int) -> None:
    send(
        port, mail(text="the shop is down\nLog: http://127.0.0.1:8080/dags/a?try=1&b=2").as_bytes()
    )
    assert "it failed" in client.get("/").text
    page = only_mail(client)
    assert "the shop is down" in page
    assert '<a href="http://127.0.0.1:8080/dags/a?try=1&amp;b=2"' in page


def test_the_newest_comes_first(client: TestClient, port: int) -> None:
    for name in ("earliest", "middle", "newest"):
        send(port, mail(subject=name).as_bytes())
    listing = client.get("/").text
    assert listing.index("newest") < listing.index("middle") < listing.index("earliest")


def test_a_folded_subject_is_one_line(client: TestClient, port: int) -> None:
    send(port, b"Subject: it\r\n failed in\r\n\tthe night\r\n\r\nwhy")
    assert ">it failed in the night</a>" in client.get("/").text


def test_mail_content_is_escaped(client: TestClient, port: int) -> None:
    evil = "<script>alert(1)</script>"
    send(port, mail(subject=evil, text=f'{evil} http://x/"onclick="alert(1)').as_bytes())
    for page in (client.get("/").text, only_mail(client)):
        assert "<script>" not in page
        assert "&lt;script&gt;" in page
        assert '"onclick=' not in page
    assert "default-src 'none'" in client.get("/").headers["Content-Security-Policy"]


def test_html_without_plain_text_is_shown_as_its_source(client: TestClient, port: int) -> None:
    message = mail()
    message.set_content("<b>bold</b>", subtype="html")
    send(port, message.as_bytes())
    assert "&lt;b&gt;bold&lt;/b&gt;" in only_mail(client)


@pytest.mark.parametrize(
    "raw",
    [
        b"no header at all",
        b"\xff\xfe\x00",
        b"Subject: =?utf-99?B?////?=\r\n\r\nx",
        b"Subject: =?utf-8?B?a?=\r\n\r\nx",
        b"Content-Type: text/plain; charset=nonsense\r\n\r\nhello \xff",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\nno part",
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
        b"Content-Type: message/rfc822\r\n\r\n",
    ],
)
def test_a_malformed_mail_is_shown(client: TestClient, port: int, raw: bytes) -> None:
    send(port, raw)
    only_mail(client)


def test_a_mail_too_big_is_refused_and_the_next_is_accepted(client: TestClient, port: int) -> None:
    with pytest.raises(smtplib.SMTPException):
        send(
            port,
            b"Subject: big\r\n\r\n" + b"x" * 70 * 1_000 + b"\r\n" + b"x\r\n" * (MAX_BYTES // 3),
        )
    assert "No mail yet" in client.get("/").text
    send(port, mail().as_bytes())
    assert "it failed" in client.get("/").text


def test_the_oldest_mails_are_deleted(tmp_path: Path) -> None:
    mails = Mails(tmp_path / "mailbox", max_kept=2)
    for name in ("earliest", "middle", "newest"):
        mails.add(mail(subject=name).as_bytes())
    assert [each.subject for each in mails.newest(10)] == ["newest", "middle"]


def test_mails_survive_a_restart(tmp_path: Path) -> None:
    Mails(tmp_path / "mailbox").add(mail().as_bytes())
    assert [each.subject for each in Mails(tmp_path / "mailbox").newest(10)] == ["it failed"]


@pytest.mark.parametrize("key", ["nothing", "..%2F..%2Fetc%2Fpasswd", "%00", "1.M1P1Q1.x"])
def test_no_other_file_is_read(client: TestClient, key: str) -> None:
    assert client.get(f"/mails/{key}").status_code == 404


def test_another_host_name_is_refused(client: TestClient) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_a_text_message_is_listed_with_its_number(client: TestClient) -> None:
    assert "No text message yet" in client.get("/sms").text
    posted = client.post("/sms", json={"id": "n-1", "to": "+4477009", "text": "<b>declined</b>"})
    assert posted.status_code == 200
    page = client.get("/sms").text
    assert "+4477009" in page
    assert "&lt;b&gt;declined&lt;/b&gt;" in page
    assert "declined" not in client.get("/chat").text


def test_a_chat_message_is_listed_with_its_links(client: TestClient) -> None:
    text = "CRITICAL\nhttp://127.0.0.1:8501/case?transaction=shop%3A1 &lt;b&gt;"
    assert client.post("/chat", json={"text": text}).status_code == 200
    page = client.get("/chat").text
    assert 'href="http://127.0.0.1:8501/case?transaction=shop%3A1"' in page
    assert "&lt;b&gt;" in page


def test_the_newest_text_messages_are_kept(client: TestClient) -> None:
    for number in range(6):
        client.post("/sms", json={"id": "n", "to": "+4477009", "text": f"message {number}"})
    page = client.get("/sms").text
    assert page.index("message 5") < page.index("message 4")
    assert "message 0" not in page


def test_a_malformed_text_message_is_refused(client: TestClient) -> None:
    assert client.post("/sms", json={"to": "+4477009"}).status_code == 422
    assert client.post("/chat", json={"text": 40_001 * "x"}).status_code == 422
