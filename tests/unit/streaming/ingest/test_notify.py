"""``POST /v1/notify``: audit first, one message, and no address in any answer or log."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.http.problem_json import add_problem_handlers
from fraudwatch.adapters.memory.verdict_store import MemoryTopic
from fraudwatch.application.console.audit import PublishedAudit
from fraudwatch.application.intake.admit import Edge
from fraudwatch.application.notifying.customer_notices import (
    AddressRefused,
    CustomerNotices,
    NoticeText,
    NoticeUncertain,
    NoticeUnsent,
)
from fraudwatch.application.notifying.notice_rate_limit import NoticeRateLimit
from fraudwatch.application.notifying.notice_texts import NoticeTexts
from fraudwatch.domain.messages.audit import AuditAction, AuditRecord
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import verdict_id_of
from fraudwatch.domain.money import RateTable
from fraudwatch.domain.notifications.customer_notice import NoticeTemplate
from fraudwatch.samples import NOON_MS, a_purchase
from fraudwatch.stack.home import ROOT
from streaming.ingest.notify import NoticeChannel, add_notify, read_templates
from streaming.ingest.notify_settings import NotifySettings

KEY = "a-key-of-the-notifier"
FOLDER = ROOT / "contracts/notices"


@dataclass
class FakeSender:
    """A sender that collects notices, and fails as a test says."""

    sent: list[tuple[str, NoticeText, str]] = field(default_factory=list)
    error: Exception | None = None

    def send(self, address: str, text: NoticeText, notice_id: str) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append((address, text, notice_id))


@dataclass
class World:
    """The edge over a real vault, with a purchase that it accepted."""

    folder: Path
    purchase: Purchase = field(default_factory=a_purchase)
    mail: FakeSender = field(default_factory=FakeSender)
    sms: FakeSender = field(default_factory=FakeSender)
    audit: MemoryTopic = field(default_factory=MemoryTopic)
    now: int = NOON_MS

    def __post_init__(self) -> None:
        self.vault = TinkVault(self.folder)
        app = FastAPI()
        add_problem_handlers(app)
        notices = CustomerNotices(
            self.vault,
            PublishedAudit(self.audit, encode),
            read_templates(FOLDER, "en"),
            self.mail,
            self.sms,
            lambda: self.now,
            NoticeRateLimit(max_per_customer=3, max_total=5),
        )
        add_notify(app, NoticeChannel(notices, KEY))
        self.client = TestClient(app)
        self.accepted = self.accept(self.purchase)

    def accept(self, purchase: Purchase) -> Transaction:
        return Edge(self.vault, RateTable([])).admit(purchase, now_ms=NOON_MS)

    def notify(self, key: str = KEY, **changes: Any) -> Any:
        transaction = changes.pop("transaction", self.accepted)
        body = {
            "notice_id": verdict_id_of(transaction.transaction_id),
            "transaction_id": transaction.transaction_id,
            "customer_token": transaction.customer_token,
            "sealed": transaction.sealed,
            "template": "declined",
            "amount_minor": 120_000,
            "currency": "EUR",
            "merchant_id": "merchant-1",
            "event_at_ms": NOON_MS,
        }
        headers = {"Authorization": f"Bearer {key}"}
        return self.client.post("/v1/notify", json=body | changes, headers=headers)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_notice_is_mailed_after_its_audit_record(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = world.notify()
    assert (answer.status_code, answer.json()) == (200, {"state": "mailed"})
    [(address, text, notice_id)] = world.mail.sent
    assert (address, notice_id) == ("erika@example.org", verdict_id_of("shop:1"))
    assert text.subject == "We declined a payment of 1,200.00 EUR"
    assert "on 2026-01-15 12:00 UTC we declined a payment of 1,200.00 EUR at merchant-1" in (
        " ".join(text.text.split())
    )
    [(key, value, _)] = world.audit.messages
    record = decode(AuditRecord, value)
    assert (key, record.deed, record.by) == ("notifier", AuditAction.NOTIFIED, "notifier")
    assert (record.transaction_id, record.reason) == (
        "shop:1",
        "notice to the customer: declined",
    )
    assert "erika" not in (answer.text + caplog.text).lower()


def test_a_customer_without_a_mail_address_gets_a_text_message(tmp_path: Path) -> None:
    world = World(tmp_path, a_purchase(email=None))
    assert world.notify().json() == {"state": "texted"}
    [(number, text, _)] = world.sms.sent
    assert (number, text.subject) == ("+447700900123", "")
    assert "\n" not in text.text
    assert world.mail.sent == []


@pytest.mark.parametrize(
    "email",
    [
        "not-an-address",
        "a@b.example, c@d.example",
        "<a@b.example>",
        "é@b.example",
        "a@b.example\nBcc: c@d",
    ],
)
def test_what_is_not_one_plain_address_gets_nothing(tmp_path: Path, email: str) -> None:
    world = World(tmp_path, a_purchase(email=email, phone=None))
    answer = world.notify()
    assert (answer.status_code, answer.json()["code"]) == (404, "no_address")
    assert world.mail.sent == []


@pytest.mark.parametrize("key", ["", "another", f"{KEY}x"])
def test_no_other_key_notifies(world: World, key: str) -> None:
    answer = world.notify(key)
    assert answer.status_code == 401
    assert "NOTIFY_API_KEY" in answer.text
    assert world.audit.messages == []


def test_a_key_that_other_callers_have_is_refused() -> None:
    settings = NotifySettings(
        api_key="0123456789abcdef01234567",
        templates_folder=FOLDER,
        mail_from="service@example.test",
        sms_api_key="abcdef0123456789abcdef01",
    )
    settings.check_key_differs_from(SecretStr("another-key-of-the-shops"))
    with pytest.raises(ValueError, match="could notify customers"):
        settings.check_key_differs_from(SecretStr("x"), SecretStr("0123456789abcdef01234567"))


def test_without_an_audit_record_nothing_is_opened(world: World) -> None:
    world.audit.is_reachable = False
    answer = world.notify()
    assert (answer.status_code, answer.json()["code"]) == (503, "unlogged")
    assert world.mail.sent == []


def test_sealed_fields_of_another_purchase_or_of_an_erased_customer_do_not_open(
    world: World,
) -> None:
    other = world.accept(replace(world.purchase, id="2"))
    assert world.notify(sealed=other.sealed).json()["code"] == "altered"
    world.vault.erase(world.accepted.customer_token)
    answer = world.notify()
    assert (answer.status_code, answer.json()["code"]) == (404, "erased")
    assert world.mail.sent == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"template": "fired"}, "template"),
        ({"amount_minor": -1}, "amount_minor"),
        ({"notice_id": "x\r\nBcc: a"}, "notice_id"),
    ],
)
def test_a_broken_request_is_refused_by_field(
    world: World, changes: dict[str, object], name: str
) -> None:
    answer = world.notify(**changes)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["problems"]] == [name]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NoticeUnsent("the mail server takes no mail"), 503, "unsent"),
        (NoticeUncertain("the mail server did not confirm"), 502, "uncertain"),
        (AddressRefused("the mail server refuses this address"), 409, "address_refused"),
    ],
)
def test_a_failure_says_whether_anything_was_sent(
    world: World, error: Exception, status: int, code: str
) -> None:
    world.mail.error = error
    answer = world.notify()
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_the_limits_of_a_customer_and_of_all_count_what_may_have_been_sent(world: World) -> None:
    world.mail.error = NoticeUnsent("not now")
    for _ in range(5):
        assert world.notify().json()["code"] == "unsent"
    world.mail.error = NoticeUncertain("perhaps")
    assert world.notify().json()["code"] == "uncertain"
    world.mail.error = None
    assert [world.notify().status_code for _ in range(3)] == [200, 200, 429]
    for name in ("b", "c"):
        other = world.accept(a_purchase(id=name, customer_id=name))
        assert world.notify(transaction=other).status_code == 200
    last = world.accept(a_purchase(id="d", customer_id="d"))
    answer = world.notify(transaction=last)
    assert (answer.status_code, answer.json()["code"]) == (503, "paused")
    world.now += 3_600_001
    assert world.notify(transaction=last).status_code == 200


@pytest.mark.parametrize("language", [path.name for path in FOLDER.iterdir()])
@pytest.mark.parametrize("template", NoticeTemplate)
def test_every_template_is_complete_and_leaks_no_reason(
    language: str, template: NoticeTemplate
) -> None:
    from fraudwatch.application.notifying.notice_texts import NoticeFacts

    facts = NoticeFacts(
        transaction_id="shop:4711",
        amount_minor=120_000,
        currency="JPY",
        merchant_id="http://evil.example/<b>",
        event_at_ms=NOON_MS,
    )
    texts = read_templates(FOLDER, language)
    mail, sms = texts.mail(template, facts), texts.text_message(template, facts)
    assert "120,000 JPY" in mail.subject
    for text in (mail.text, sms.text):
        assert "4711" in text
        for hidden in ("evil", "$", "score", "rule", "fraud", "http"):
            assert hidden not in text.lower()
    assert len(sms.text) <= 2 * 160


def test_a_template_with_another_placeholder_is_refused_at_the_start() -> None:
    texts = dict.fromkeys(NoticeTemplate, "Subject: x\n\n${name}")
    with pytest.raises(ValueError, match=r"unknown placeholders \['name'\]"):
        NoticeTexts(texts, texts)
    with pytest.raises(ValueError, match="must begin with 'Subject:'"):
        NoticeTexts(*2 * [dict.fromkeys(NoticeTemplate, "x")])
    with pytest.raises(ValueError, match="is missing"):
        read_templates(FOLDER, "xx")
