"""Contract of revealers: memory twin, and the edge over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
from fraudwatch.adapters.artefacts.source_file import load_source_contracts
from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.edge.edge_revealer import EdgeRevealer
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.http.key_check import KeyCheck
from fraudwatch.adapters.memory.casework import MemoryRevealer
from fraudwatch.adapters.memory.verdict_store import (
    MemoryDeadLetters,
    MemoryTopic,
    MemoryVerdicts,
    MemoryVerdictStore,
)
from fraudwatch.application.console.access import Forbidden, Person, Role
from fraudwatch.application.console.audit import PublishedAudit
from fraudwatch.application.console.casework import Erased, Revealer, RevealRefused
from fraudwatch.application.console.reveal import Reveals
from fraudwatch.application.intake.admit import Edge
from fraudwatch.application.intake.intake import Intake
from fraudwatch.application.intake.message_builders import label_builder, purchase_builder
from fraudwatch.application.intake.pending_verdicts import PendingVerdictRegistry
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.money import RateTable
from fraudwatch.samples import NOON_MS, a_token, a_transaction
from fraudwatch.stack.home import ROOT
from streaming.ingest.api import IngestServices, create_app
from streaming.ingest.channel import LABEL_METRICS, PURCHASE_METRICS, IngestChannel
from streaming.ingest.reveal import RevealChannel, add_reveal
from streaming.ingest.sync_scoring import VerdictWaiter
from tests.sandboxes import a_sandbox

LEAD = Person("lead", Role.LEAD)
KEY = "a-key-of-the-test"
REASON = "The customer calls, ticket 4711"
PERSONAL = {"name": "Erika Mustermann", "card_number": "4111111111111111"}


@dataclass(frozen=True)
class Place:
    """A revealer under test, a purchase it knows, and one whose customer was forgotten."""

    revealer: Revealer
    purchase: Transaction
    forgotten: Transaction
    calls: Callable[[], list[tuple[str | None, str, str]]]  # transaction, login, reason
    go_away: Callable[[], None]


def in_memory(_: Path) -> Place:
    twin = MemoryRevealer({"shop:1": PERSONAL})

    def go_away() -> None:
        twin.is_reachable = False

    return Place(
        twin,
        a_transaction(),
        a_transaction(transaction_id="shop:2"),
        lambda: [*twin.asked],
        go_away,
    )


def edge_of(vault: TinkVault, topic: MemoryTopic, folder: Path) -> FastAPI:
    """The app that ingest serves."""
    dead_letters, expectations = MemoryDeadLetters(), PendingVerdictRegistry()
    admit = purchase_builder(Edge(vault, RateTable([])), encode)
    served = IngestServices(
        IngestChannel(
            Intake(admit, MemoryTopic(), dead_letters, lambda: NOON_MS), PURCHASE_METRICS
        ),
        IngestChannel(
            Intake(label_builder(encode), MemoryTopic(), dead_letters, lambda: NOON_MS),
            LABEL_METRICS,
        ),
        VerdictWaiter(expectations, MemoryVerdicts(expectations), MemoryVerdictStore()),
        load_source_contracts(ROOT / "contracts/sources"),
        *a_sandbox(vault),
    )
    app = create_app(served, KeyCheck(ApiKeyFile(folder / "keys.json")))
    add_reveal(
        app, RevealChannel(Reveals(vault, PublishedAudit(topic, encode), lambda: NOON_MS), KEY)
    )
    return app


def over_the_edge(folder: Path, key: str = KEY) -> Place:
    vault, topic = TinkVault(folder), MemoryTopic()
    client = TestClient(edge_of(vault, topic, folder))
    anna, berta = a_token("a"), a_token("b")
    purchase = a_transaction(sealed=vault.seal(anna, "shop:1", PERSONAL))
    forgotten = a_transaction(
        transaction_id="shop:2",
        customer_token=berta,
        sealed=vault.seal(berta, "shop:2", {"name": "Berta"}),
    )
    vault.erase(berta)

    def calls() -> list[tuple[str | None, str, str]]:
        records = [decode(AuditRecord, value) for _, value, _ in topic.messages]
        return [(record.transaction_id, record.by, record.reason) for record in records]

    def go_away() -> None:
        topic.is_reachable = False

    revealer = EdgeRevealer("http://edge", key, transport=client._transport)
    return Place(revealer, purchase, forgotten, calls, go_away)


@pytest.fixture(params=[in_memory, over_the_edge], ids=["memory", "edge"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    made: Place = request.param(tmp_path)
    return made


def test_the_fields_are_returned_with_a_masked_card_and_a_record(place: Place) -> None:
    shown = place.revealer.reveal(place.purchase, person=LEAD, reason=f" {REASON}\n")
    assert shown == {"name": "Erika Mustermann", "card_number": "411111••••••1111"}
    assert place.calls() == [("shop:1", "lead", REASON)]


def test_an_erased_customer_is_reported_and_the_attempt_recorded(place: Place) -> None:
    with pytest.raises(Erased):
        place.revealer.reveal(place.forgotten, person=LEAD, reason=REASON)
    assert place.calls() == [("shop:2", "lead", REASON)]


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMIN])
def test_a_role_without_the_right_is_refused_without_a_request(place: Place, role: Role) -> None:
    with pytest.raises(Forbidden):
        place.revealer.reveal(place.purchase, person=Person("someone", role), reason=REASON)
    assert place.calls() == []


@pytest.mark.parametrize("reason", ["", "because", " " * 20, "x" * 501])
def test_too_short_a_reason_is_refused(place: Place, reason: str) -> None:
    with pytest.raises(RevealRefused, match="reason must have 10 to 500 characters"):
        place.revealer.reveal(place.purchase, person=LEAD, reason=reason)
    assert place.calls() == []


def test_a_purchase_without_sealed_fields_is_refused(place: Place) -> None:
    with pytest.raises(RevealRefused, match="this purchase has no sealed fields"):
        place.revealer.reveal(replace(place.purchase, sealed=None), person=LEAD, reason=REASON)
    assert place.calls() == []


def test_without_an_acknowledgement_nothing_is_shown(place: Place) -> None:
    place.go_away()
    with pytest.raises(RevealRefused, match="nothing was shown"):
        place.revealer.reveal(place.purchase, person=LEAD, reason=REASON)
    assert place.calls() == []


def test_a_wrong_console_key_is_reported(tmp_path: Path) -> None:
    place = over_the_edge(tmp_path, key="another-key")
    with pytest.raises(RevealRefused, match="REVEAL_API_KEY"):
        place.revealer.reveal(place.purchase, person=LEAD, reason=REASON)
    assert place.calls() == []


def test_an_edge_without_this_endpoint_is_no_erasure() -> None:
    bare = TestClient(FastAPI())
    revealer = EdgeRevealer("http://edge", KEY, transport=bare._transport)
    with pytest.raises(RevealRefused, match="answered 404"):
        revealer.reveal(a_transaction(), person=LEAD, reason=REASON)


def test_an_unreachable_edge_is_named_without_the_key() -> None:
    revealer = EdgeRevealer("http://127.0.0.1:9", KEY)
    with pytest.raises(RevealRefused, match="does not answer") as refusal:
        revealer.reveal(a_transaction(), person=LEAD, reason=REASON)
    assert KEY not in str(refusal.value)


def test_sealed_fields_of_another_purchase_are_refused(tmp_path: Path) -> None:
    place = over_the_edge(tmp_path)
    moved = replace(place.purchase, transaction_id="shop:9")
    with pytest.raises(RevealRefused, match="altered"):
        place.revealer.reveal(moved, person=LEAD, reason=REASON)
    assert place.calls() == [("shop:9", "lead", REASON)]


def test_too_many_reveals_are_refused_with_a_retry_time(tmp_path: Path) -> None:
    place = over_the_edge(tmp_path)
    for _ in range(30):
        place.revealer.reveal(place.purchase, person=LEAD, reason=REASON)
    with pytest.raises(RevealRefused, match=r"30 times in the last hour.*again in 60 min"):
        place.revealer.reveal(place.purchase, person=LEAD, reason=REASON)
    assert len(place.calls()) == 30
