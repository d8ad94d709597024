"""Test the console with real engines, by role: analyst, lead, admin."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.store.alerts import CassandraAlertReader
from fraudwatch.adapters.store.audit import CassandraAudit
from fraudwatch.adapters.store.open_alerts import CassandraOpenAlerts
from fraudwatch.adapters.store.session import close, connect
from fraudwatch.domain.messages.audit import AuditAction, AuditRecord
from fraudwatch.domain.messages.label import Label, LabelValue, Source
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.samples import a_purchase
from fraudwatch.stack.private_stack import PrivateStack
from tests.e2e.console_browser import PHONE, WIDE, Visitor, chromium
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def visitor(browser: Browser, stack: PrivateStack, size: dict[str, int] | None = None) -> Visitor:
    return Visitor(browser.new_page(viewport=size or WIDE), stack)  # type: ignore[arg-type]


def high_value_purchase(stack: PrivateStack) -> Purchase:
    """Post a purchase with an amount that makes an alert, at a new merchant, and wait for it."""
    merchant = f"case-{uuid.uuid4().hex[:8]}"
    bought = a_purchase(
        source="case",
        id=merchant,
        customer_id=merchant,
        merchant_id=merchant,
        name="Wilhelmina Case",
        card_number="4929123456781239",
        amount_minor=432_100,
        event_at_ms=time.time_ns() // 1_000_000,
    )
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        response = ingest.post("/v1/transactions", content=encode([bought]))
        assert response.status_code == 202, response.text
    name = f"{bought.source}:{bought.id}"
    eventually(lambda: is_stored(stack, name), within_seconds=60, what="the verdict's row")
    return bought


@pytest.fixture
def bought(stack: PrivateStack) -> Purchase:
    return high_value_purchase(stack)


def test_an_analyst_finds_opens_and_decides_a_case(
    stack: PrivateStack, browser: Browser, bought: Purchase
) -> None:
    anna = visitor(browser, stack)
    # After the login, a link into the console opens the page that it names.
    anna.log_in("analyst", f"/?merchant={bought.merchant_id}")
    anna.lists(bought.merchant_id)
    anna.click_first_line()
    anna.shows("What was this purchase?")
    anna.shows("4,321.00")
    anna.shows("•••• 1239")
    anna.press("Claim")
    anna.shows("You have claimed this case")
    anna.picture("case")

    # No other account can decide it meanwhile.
    lead = visitor(browser, stack)
    lead.log_in("lead", f"/case?transaction=case:{bought.id}")
    lead.shows("You cannot decide this case: analyst has claimed it.")

    anna.page.get_by_role("radiogroup", name="What was this").get_by_text("Fraud").click()
    anna.page.get_by_role("textbox", name="Note", exact=True).fill(
        "The resident at that address ordered nothing."
    )
    anna.press("Save decision")
    anna.shows("Saved: fraud, by you.")
    eventually(
        lambda: labels_of(stack, f"case:{bought.id}"), within_seconds=30, what="the label's row"
    )
    [label] = labels_of(stack, f"case:{bought.id}")
    assert (label.verdict, label.source, label.by) == (LabelValue.FRAUD, Source.ANALYST, "analyst")
    assert label.note == "The resident at that address ordered nothing."
    eventually(
        lambda: not is_open(stack, f"case:{bought.id}"), within_seconds=30, what="the closed alert"
    )

    anna.press("Next case")
    anna.shows("You have claimed this case")
    expect(anna.page).not_to_have_url(f".*{bought.id}.*")


def test_a_lead_assigns_and_an_analyst_snoozes_and_decides_a_group(
    stack: PrivateStack, browser: Browser
) -> None:
    # Two customers pay with one card.
    first, second = (f"case:{high_value_purchase(stack).id}" for _ in range(2))
    lead = visitor(browser, stack)
    lead.log_in("lead", f"/case?transaction={first}")
    lead.shows("Open for")
    lead.press("Assign")
    lead.choose("Assign to", "analyst")
    lead.press("Save assignment")
    lead.shows("Assigned to analyst by lead.")
    eventually(
        lambda: [one for one in audited(stack) if one.transaction_id == first],
        within_seconds=120,
        what="the record of the assignment",
    )

    anna = visitor(browser, stack)
    anna.log_in("analyst", f"/case?transaction={second}")
    anna.press("Snooze")
    anna.page.get_by_role("textbox", name="Reason of the snooze").fill("The bank answers tomorrow.")
    anna.press("Save snooze")
    anna.shows("Snoozed until")
    anna.visit("/case")
    anna.shows("open case")
    anna.picture("queue")
    anna.page.get_by_text("Snoozed", exact=True).click()
    anna.lists(second)
    anna.page.get_by_text("Mine", exact=True).click()
    anna.lists(first)
    anna.click_first_line()
    anna.shows("Open alerts with something in common")
    card = anna.page.get_by_text("This card (")
    size = card.inner_text().removeprefix("This card (").removesuffix(")")
    card.click()
    anna.shows(f"Decide all {size} cases")  # before that the button is of the group before
    anna.page.get_by_role("radiogroup", name="What were these").get_by_text("Fraud").click()
    anna.page.get_by_role("textbox", name="Note for all").fill("One card, several customers.")
    anna.picture("group")
    anna.press(f"Decide all {size} cases")
    anna.shows("Saved: fraud,")
    for name in (first, second):
        [label] = eventually(
            lambda name=name: labels_of(stack, name), within_seconds=30, what="the label's row"
        )
        assert (label.verdict, label.note) == (LabelValue.FRAUD, "One card, several customers.")
        eventually(
            lambda name=name: not is_open(stack, name), within_seconds=30, what="the closed alert"
        )


def test_a_customer_asks_for_a_review_and_another_person_decides_it(
    stack: PrivateStack, browser: Browser, bought: Purchase
) -> None:
    name = f"case:{bought.id}"
    anna = visitor(browser, stack)
    anna.log_in("analyst", f"/case?transaction={name}")
    anna.page.get_by_text("The customer asks for a review").click()
    anna.page.get_by_role("textbox", name="Request").fill("I bought this myself, for my mother.")
    anna.press("Request review")
    anna.shows("The customer asks for a review, due in")

    lead = visitor(browser, stack)
    lead.log_in("lead", "/case")
    lead.shows("1 review is requested")
    lead.page.get_by_text("Review requested", exact=True).click()
    lead.lists("I bought this myself, for my mother.")
    lead.picture("reviews")
    lead.click_first_line()
    lead.page.get_by_text("Reversed: the decision was wrong").click()
    lead.page.get_by_role("textbox", name="Note of the review").fill("The bank confirms it.")
    lead.press("Save review")
    lead.shows("Reversed: the decision was wrong, by lead")
    lead.picture("review_decided")
    # Both viewed the case as well, which is audited too.
    reviewing = (AuditAction.REVIEW_DECIDED, AuditAction.REVIEW_REQUESTED)

    def actions() -> list[AuditAction]:
        records = [one for one in audited(stack) if one.transaction_id == name]
        return [one.deed for one in records if one.deed in reviewing]

    eventually(
        lambda: len(actions()) == len(reviewing),
        within_seconds=120,
        what="both records of the review",
    )
    assert actions() == list(reviewing)


def test_a_lead_reveals_a_sealed_field_with_an_audit_record(
    stack: PrivateStack, browser: Browser, bought: Purchase
) -> None:
    lead = visitor(browser, stack)
    lead.log_in("lead", f"/case?transaction=case:{bought.id}")
    lead.shows("The purchase")
    lead.hides("Wilhelmina Case")
    reason = f"The customer asks about {bought.id}"
    lead.press("Reveal personal data")
    lead.page.get_by_role("textbox", name="Reason").fill(reason)
    lead.press("Record and reveal")
    lead.shows("Wilhelmina Case")
    lead.hides("4929123456781239")
    lead.picture("reveal")
    [record] = eventually(
        lambda: [one for one in audited(stack) if one.reason == reason],
        within_seconds=120,
        what="the record's row",
    )
    assert (record.deed, record.by) == (AuditAction.REVEALED, "lead")
    assert record.transaction_id == f"case:{bought.id}"
    lead.visit("/audit")
    lead.lists(reason)
    lead.picture("audit")


def test_an_analyst_has_no_lead_actions(
    stack: PrivateStack, browser: Browser, bought: Purchase
) -> None:
    anna = visitor(browser, stack)
    anna.log_in("analyst", f"/case?transaction=case:{bought.id}")
    anna.shows("The purchase")
    assert anna.page.get_by_role("button", name="Reveal personal data").count() == 0
    assert anna.page.get_by_role("link", name="Audit").count() == 0
    anna.visit("/audit")
    anna.hides("Audit log")


def test_an_admin_reads_cases_and_decides_none(
    stack: PrivateStack, browser: Browser, bought: Purchase
) -> None:
    admin = visitor(browser, stack)
    admin.log_in("admin", f"/case?transaction=case:{bought.id}")
    admin.shows("Your role, admin, may read cases but not decide them.")
    admin.hides("What was this purchase?")
    admin.open("Accounts")
    admin.lists("lead")
    admin.picture("accounts")


def test_patterns_show_rates_and_hours(stack: PrivateStack, browser: Browser) -> None:
    lead = visitor(browser, stack)
    lead.log_in("lead", "/live")
    lead.shows("Alerts, last minute")
    lead.picture("live")
    lead.open("Patterns")
    lead.shows("Alert rate")
    lead.shows("By weekday and hour")
    lead.picture("patterns")


@pytest.mark.parametrize("address", ["/", "/case?transaction=case:{}", "/patterns?period=7"])
def test_no_screen_is_wider_than_a_phone(
    stack: PrivateStack, browser: Browser, bought: Purchase, address: str
) -> None:
    anna = visitor(browser, stack, PHONE)
    anna.log_in("analyst", address.format(bought.id))
    anna.page.wait_for_timeout(5_000)
    anna.picture(f"phone_{address.strip('/').split('?')[0] or 'live'}")
    width = anna.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert width <= PHONE["width"]


def is_stored(stack: PrivateStack, transaction_id: str) -> bool:
    session = connect(stack.cassandra("console"))
    try:
        return CassandraAlertReader(session).verdict_of(transaction_id) is not None
    finally:
        close(session)


def labels_of(stack: PrivateStack, transaction_id: str) -> list[Label]:
    session = connect(stack.cassandra("console"))
    try:
        return CassandraAlertReader(session).labels_of(transaction_id)
    finally:
        close(session)


def is_open(stack: PrivateStack, transaction_id: str) -> bool:
    session = connect(stack.cassandra("console"))
    try:
        return CassandraOpenAlerts(session).open_verdict(transaction_id) is not None
    finally:
        close(session)


def audited(stack: PrivateStack) -> list[AuditRecord]:
    session = connect(stack.cassandra("console"))
    try:
        now = datetime.now(UTC)
        return CassandraAudit(session).audited(now - timedelta(hours=1), now=now, limit=100)
    finally:
        close(session)
