"""A declined purchase notifies staff and its customer, on the running stack."""

from __future__ import annotations

import html
import os
import re
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from cassandra.cluster import Session

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.store.audit import CassandraAudit
from fraudwatch.domain.messages.audit import AuditAction, AuditRecord
from fraudwatch.domain.messages.purchase import PaymentStatus, Purchase
from fraudwatch.samples import a_purchase
from fraudwatch.stack.private_stack import PrivateStack
from tests.e2e.console_browser import SCREENSHOTS, chromium
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.timeout(900)]
# The stack scores its shop's history first, and a busy machine takes its time.
PATIENCE_SECONDS = 240
SOURCE = "notices"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def card_testing(name: str, **changes: object) -> list[Purchase]:
    """Build four failed small payments and the large one that they were for: it is declined."""
    usual = {"customer_id": name, "card_number": "4929123456781239", "merchant_id": "notice-shop"}
    start_ms = now_ms() - 5_000
    small = [
        a_purchase(
            source=SOURCE,
            id=f"{name}-{n}",
            amount_minor=100,
            payment_status=PaymentStatus.FAILED,
            event_at_ms=start_ms + n,
            **(usual | changes),
        )
        for n in range(4)
    ]
    large = a_purchase(
        source=SOURCE,
        id=name,
        amount_minor=400_000,
        event_at_ms=start_ms + 10,
        **(usual | changes),
    )
    return [*small, large]


def post(stack: PrivateStack, purchases: list[Purchase]) -> None:
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        assert ingest.post("/v1/transactions", content=encode(purchases)).status_code == 202


def mailbox(stack: PrivateStack, path: str = "/") -> str:
    return httpx.get(f"http://127.0.0.1:{stack.port('mailbox', 'http')}{path}", timeout=30).text


def mails(stack: PrivateStack, subject: str) -> list[str]:
    """Return the text of the listed mails with this in their subject."""
    links = re.findall(r'<a href="(/mails/[^"]+)">([^<]*)</a>', mailbox(stack))
    return [html.unescape(mailbox(stack, path)) for path, title in links if subject in title]


def test_a_declined_purchase_notifies_staff_and_the_customer_once(
    stack: PrivateStack, session_of: Callable[[str], Session]
) -> None:
    name = uuid.uuid4().hex[:12]
    address = f"declined.{name}@customers.example"
    post(stack, card_testing(name, email=address))

    def staff_mail() -> str | None:
        case = f"/case?transaction={SOURCE}%3A{name}"
        return next((m for m in mails(stack, "CRITICAL") if case in m), None)

    staff = eventually(staff_mail, within_seconds=PATIENCE_SECONDS, what="the mail to staff")
    assert "4,000.00 EUR" in staff
    assert "declined" in staff
    console = f"http://127.0.0.1:{stack.port('console', 'http')}"
    assert f"{console}/case?transaction={SOURCE}%3A{name}" in staff
    for hidden in (address, "Erika", "4929123456781239", "1239", name[:6] + "@"):
        assert hidden not in staff
    assert f"{SOURCE}%3A{name}" in html.unescape(mailbox(stack, "/chat"))

    def customers_mails() -> list[str]:
        return [m for m in mails(stack, "We declined a payment") if address in m]

    [notice] = eventually(
        customers_mails, within_seconds=PATIENCE_SECONDS, what="the customer's mail"
    )
    assert "4,000.00 EUR" in notice
    assert name in notice
    assert "card_testing" not in notice

    def audited() -> list[AuditRecord]:
        now = datetime.now(UTC)
        records = CassandraAudit(session_of("console")).audited(
            now.replace(hour=0, minute=0), now=now, limit=500
        )
        return [r for r in records if r.transaction_id == f"{SOURCE}:{name}"]

    [record] = eventually(audited, within_seconds=PATIENCE_SECONDS, what="the audit record")
    assert (record.deed, record.by) == (AuditAction.NOTIFIED, "notifier")
    assert len(customers_mails()) == 1


def test_a_customer_without_a_mail_address_gets_a_text_message(stack: PrivateStack) -> None:
    name, number = uuid.uuid4().hex[:12], f"+4477009{uuid.uuid4().int % 100_000:05d}"
    post(stack, card_testing(name, email=None, phone=number))
    page = eventually(
        lambda: number in (text := mailbox(stack, "/sms")) and text,
        within_seconds=PATIENCE_SECONDS,
        what="the text message",
    )
    assert "4,000.00 EUR" in page
    assert name in page
    with chromium() as browser:
        shown = browser.new_page(viewport={"width": 1100, "height": 700})
        for path in ("/sms", "/chat", "/"):
            shown.goto(f"http://127.0.0.1:{stack.port('mailbox', 'http')}{path}")
            assert shown.locator("tbody tr").count() >= 1, path
            if folder := os.environ.get(SCREENSHOTS):
                shot = Path(folder) / f"mailbox{path.replace('/', '_')}.png"
                shown.screenshot(path=shot)


def test_the_group_is_measured_and_no_channel_fails(stack: PrivateStack) -> None:
    def series(service: str) -> str:
        return httpx.get(f"http://127.0.0.1:{stack.port(service, 'metrics')}/metrics").text

    eventually(
        lambda: 'group="notifier"' in series("kafka_lag"),
        within_seconds=60,
        what="the lag of the notifier",
    )
    found = series("notifier")
    for channel in ("mail", "chat", "customers"):
        assert f'fraudwatch_notifier_channel_failing{{channel="{channel}"}} 0.0' in found
