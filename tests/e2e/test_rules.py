"""Change the policy of a running stack: the next verdict names it, and it is audited."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser

from fraudwatch.adapters.artefacts.policy_file import parse_rules
from fraudwatch.adapters.artefacts.policy_folder import PolicyFolder
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.store.alerts import CassandraAlertReader
from fraudwatch.adapters.store.audit import CassandraAudit
from fraudwatch.adapters.store.session import close, connect
from fraudwatch.application.policy.versions import Origin, PolicyContents
from fraudwatch.domain.messages.audit import AuditAction, AuditRecord
from fraudwatch.domain.messages.verdict import Outcome, Verdict
from fraudwatch.samples import a_purchase
from fraudwatch.stack.private_stack import PrivateStack
from tests.e2e.console_browser import WIDE, Visitor, chromium
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.timeout(900)]
MERCHANT = "rules-17"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def live(stack: PrivateStack) -> Iterator[PolicyFolder]:
    """Live policy of the stack, put back for the tests that follow."""
    folder = PolicyFolder(stack.home.folder / "policy")
    before = folder.live()
    yield folder
    folder.replace_live(before)


def command(stack: PrivateStack, *words: str) -> dict[str, Any]:
    done = stack.command(*words, "--json", check=False)
    assert done.returncode == 0, done.stderr
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


def next_verdict(stack: PrivateStack) -> Verdict:
    """Post a purchase at the merchant, and wait for its verdict."""
    bought = a_purchase(
        source="rules",
        id=uuid.uuid4().hex[:12],
        merchant_id=MERCHANT,
        amount_minor=1_000,
        event_at_ms=time.time_ns() // 1_000_000,
    )
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        response = ingest.post("/v1/transactions", content=encode([bought]))
        assert response.status_code == 202, response.text
    session = connect(stack.cassandra("console"))
    try:
        reader = CassandraAlertReader(session)
        name = f"{bought.source}:{bought.id}"
        found = eventually(
            lambda: reader.verdict_of(name), within_seconds=60, what="the verdict's row"
        )
        assert found is not None
        return found
    finally:
        close(session)


def audited(stack: PrivateStack, deed: AuditAction, subject: str) -> AuditRecord:
    def record() -> AuditRecord | None:
        session = connect(stack.cassandra("console"))
        try:
            now = datetime.now(UTC)
            found = CassandraAudit(session).audited(now - timedelta(hours=1), now=now, limit=100)
            return next((one for one in found if (one.deed, one.subject) == (deed, subject)), None)
        finally:
            close(session)

    found = eventually(record, within_seconds=60, what=f"the audit record {deed}")
    assert found is not None
    return found


def test_the_next_verdict_names_what_became_live(
    stack: PrivateStack, browser: Browser, live: PolicyFolder
) -> None:
    shipped = parse_rules(*live.live()).version
    assert next_verdict(stack).policy_version == shipped
    entry = ("deny", "merchant", MERCHANT)
    added = command(
        stack, "policy", "lists", "add", *entry, "--until", "2099-01-01",
        "--reason", "chargebacks of three shops",
    )["version"]  # fmt: skip
    declined = next_verdict(stack)
    assert (declined.policy_version, declined.outcome) == (added, Outcome.DECLINE)
    assert audited(stack, AuditAction.POLICY_CHANGED_ALONE, added).by == "operator"

    lead = Visitor(browser.new_page(viewport=WIDE), stack)  # type: ignore[arg-type]
    lead.log_in("lead", "/rules")
    lead.shows("60 alerts a day in all")
    lead.picture("rules")
    lead.page.get_by_role("tab", name="Draft").click()
    lead.shows("Alerts a day that analysts can work on")
    lead.picture("rules_draft")
    lead.page.get_by_role("tab", name="History").click()
    lead.page.get_by_role("combobox", name="Version").last.click()
    lead.page.get_by_role("option", name=shipped).last.click()
    reason = lead.page.get_by_label("Reason (for the audit log)").locator("visible=true")
    reason.fill("the merchant was cleared")
    reason.press("Enter")
    lead.press("Propose rollback")
    lead.shows("Another lead promotes it")
    lead.picture("rules_history")

    password = command(stack, "accounts", "add", "second", "--role", "lead")["password"]
    second = Visitor(browser.new_page(viewport=WIDE), stack)  # type: ignore[arg-type]
    second.log_in_with("second", password, "/rules")
    second.page.get_by_role("tab", name="Proposals (1)").click()
    second.shows("proposed by lead")
    second.picture("rules_proposal")
    why = second.page.get_by_label("Reason (for the audit log)").locator("visible=true")
    why.fill("agreed in the morning")
    why.press("Enter")
    second.press("Promote")
    second.shows("is live; the detector uses it")
    assert next_verdict(stack).policy_version == shipped
    assert audited(stack, AuditAction.POLICY_ROLLED_BACK, shipped).by == "second"


def test_a_hand_edit_is_used_and_audited(stack: PrivateStack, live: PolicyFolder) -> None:
    edited = live.live().policy.replace(b"alerts_a_day: 60", b"alerts_a_day: 50")
    live.policy_path.write_bytes(edited)
    version = parse_rules(*PolicyContents(edited, live.live().lists)).version
    assert next_verdict(stack).policy_version == version
    record = audited(stack, AuditAction.POLICY_CHANGED_ALONE, version)
    assert "without a second person" in record.reason
    assert live.history()[-1].origin is Origin.EDITED_BY_HAND
