"""``POST /v1/reveal``: its own key, its responses, and nothing personal in any log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
from fraudwatch.adapters.artefacts.source_file import load_source_contracts
from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.http.key_check import KeyCheck
from fraudwatch.adapters.memory.verdict_store import (
    MemoryDeadLetters,
    MemoryTopic,
    MemoryVerdicts,
    MemoryVerdictStore,
)
from fraudwatch.application.api_keys import register_env_key
from fraudwatch.application.console.audit import PublishedAudit
from fraudwatch.application.console.reveal import Reveals
from fraudwatch.application.intake.admit import Edge
from fraudwatch.application.intake.intake import Intake
from fraudwatch.application.intake.message_builders import label_builder, purchase_builder
from fraudwatch.application.intake.pending_verdicts import PendingVerdictRegistry
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.money import RateTable
from fraudwatch.samples import NOON_MS, a_purchase, a_token
from fraudwatch.stack.home import ROOT
from streaming.ingest.api import IngestServices, create_app
from streaming.ingest.channel import LABEL_METRICS, PURCHASE_METRICS, IngestChannel
from streaming.ingest.reveal import LARGEST_BODY_BYTES, RevealChannel, add_reveal
from streaming.ingest.sync_scoring import VerdictWaiter
from tests.sandboxes import a_sandbox

INGEST_KEY, REVEAL_KEY = "a-key-of-the-shops", "a-key-of-the-console"
HEADERS = {"Authorization": f"Bearer {REVEAL_KEY}"}
ALL_PERSONAL = (
    "customer-1",
    "Erika",
    "erika@",
    "+4477009",
    "4111111111111111",
    "terminal-7",
    "192.0.2.17",
)


@dataclass
class Edges:
    """The whole of ingest over memory, and a purchase that it accepted."""

    client: TestClient
    vault: TinkVault
    audit: MemoryTopic
    purchase: Transaction

    def reveal(self, **changes: Any) -> Any:
        request = {
            "transaction_id": self.purchase.transaction_id,
            "customer_token": self.purchase.customer_token,
            "sealed": self.purchase.sealed,
            "login": "lead",
            "role": "lead",
            "reason": "The customer calls, ticket 4711",
        }
        return self.client.post("/v1/reveal", json=request | changes, headers=HEADERS)


@pytest.fixture
def edge(tmp_path: Path) -> Edges:
    vault, topic, audit = TinkVault(tmp_path), MemoryTopic(), MemoryTopic()
    dead_letters, pending = MemoryDeadLetters(), PendingVerdictRegistry()
    admit = purchase_builder(Edge(vault, RateTable([])), encode)
    services = IngestServices(
        IngestChannel(Intake(admit, topic, dead_letters, lambda: NOON_MS), PURCHASE_METRICS),
        IngestChannel(
            Intake(label_builder(encode), MemoryTopic(), dead_letters, lambda: NOON_MS),
            LABEL_METRICS,
        ),
        VerdictWaiter(pending, MemoryVerdicts(pending), MemoryVerdictStore()),
        load_source_contracts(ROOT / "contracts/sources"),
        *a_sandbox(vault),
    )
    keys = ApiKeyFile(tmp_path / "api_keys" / "keys.json")
    register_env_key(keys, INGEST_KEY, NOON_MS)
    app = create_app(services, KeyCheck(keys))
    reveals = Reveals(vault, PublishedAudit(audit, encode), lambda: NOON_MS)
    add_reveal(app, RevealChannel(reveals, REVEAL_KEY))
    client = TestClient(app)
    accepted = client.post(
        "/v1/transactions",
        content=encode(a_purchase()),
        headers={"Authorization": f"Bearer {INGEST_KEY}"},
    )
    assert accepted.status_code == 202
    return Edges(client, vault, audit, decode(Transaction, topic.messages[0][1]))


def counted(outcome: str) -> float:
    found = REGISTRY.get_sample_value("fraudwatch_ingest_reveals_total", {"outcome": outcome})
    return found or 0.0


def test_the_personal_fields_are_revealed_with_the_card_masked(edge: Edges) -> None:
    before = counted("shown")
    answer = edge.reveal()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["personal"] == {
        "customer_id": "customer-1",
        "name": "Erika Mustermann",
        "email": "erika@example.org",
        "phone": "+447700900123",
        "card_number": "411111••••••1111",
        "device_id": "terminal-7",
        "ip": "192.0.2.17",
    }
    [(key, value, at_ms)] = edge.audit.messages
    assert (key, at_ms) == ("lead", NOON_MS)
    assert decode(AuditRecord, value).transaction_id == "shop:1"
    assert counted("shown") == before + 1


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": f"Bearer {INGEST_KEY}"}, {"Authorization": REVEAL_KEY}]
)
def test_the_ingest_key_reveals_nothing(edge: Edges, headers: dict[str, str]) -> None:
    answer = edge.client.post("/v1/reveal", json={}, headers=headers)
    assert answer.status_code == 401
    assert "REVEAL_API_KEY" in answer.text
    assert edge.audit.messages == []


def test_the_reveal_key_ingests_nothing(edge: Edges) -> None:
    sent = edge.client.post("/v1/transactions", content=encode(a_purchase(id="2")), headers=HEADERS)
    assert sent.status_code == 401


Obstacle = Callable[[Edges], Any]


def erase_customer(edge: Edges) -> Any:
    edge.vault.erase(edge.purchase.customer_token)
    return edge.reveal()


def stop_audit_log(edge: Edges) -> Any:
    edge.audit.is_reachable = False
    return edge.reveal()


def exceed_limit(edge: Edges) -> Any:
    return [edge.reveal() for _ in range(31)][-1]


@pytest.mark.parametrize(
    ("obstacle", "status", "code"),
    [
        (erase_customer, 404, "erased"),
        (lambda edge: edge.reveal(transaction_id="shop:2"), 409, "altered"),
        (lambda edge: edge.reveal(sealed=edge.purchase.sealed[:-8] + "AAAAAAA="), 409, "altered"),
        (lambda edge: edge.reveal(customer_token=a_token("z")), 404, "erased"),
        (lambda edge: edge.reveal(role="analyst"), 403, "forbidden"),
        (stop_audit_log, 503, "unlogged"),
        (exceed_limit, 429, "limited"),
    ],
)
def test_an_obstacle_is_reported_and_counted_and_reveals_nothing(
    edge: Edges, obstacle: Obstacle, status: int, code: str
) -> None:
    before = counted(code)
    answer = obstacle(edge)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert len(answer.json()["detail"]) > 20
    assert not [text for text in ALL_PERSONAL if text in answer.text]
    assert counted(code) == before + 1


def test_a_caller_over_the_limit_gets_a_retry_time(edge: Edges) -> None:
    assert exceed_limit(edge).headers["Retry-After"] == "3600"
    assert edge.reveal(login="other").status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": "because"}, "reason"),
        ({"reason": None}, "reason"),
        ({"role": "king"}, "role"),
        ({"login": "a b"}, "login"),
        ({"customer_token": "Erika"}, "customer_token"),
    ],
)
def test_a_refusal_names_the_field_and_never_its_value(
    edge: Edges, changes: dict[str, Any], field: str
) -> None:
    before = counted("refused")
    answer = edge.reveal(**changes)
    assert answer.status_code == 422
    [problem] = answer.json()["problems"]
    assert problem["field"] == field
    assert str(next(iter(changes.values()))) not in answer.text.replace(field, "")
    assert edge.audit.messages == []
    assert counted("refused") == before + 1


def test_an_invalid_or_too_large_body_is_refused(edge: Edges) -> None:
    for body, status in ((b"garbage", 422), (b" " * (LARGEST_BODY_BYTES + 1), 413)):
        answer = edge.client.post("/v1/reveal", content=body, headers=HEADERS)
        assert answer.status_code == status
    assert edge.audit.messages == []


@pytest.mark.parametrize(
    "obstacle", [lambda edge: edge.reveal(), erase_customer, stop_audit_log, exceed_limit]
)
def test_nothing_personal_is_in_a_log(
    edge: Edges, obstacle: Obstacle, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    obstacle(edge)
    assert not [text for text in (*ALL_PERSONAL, REVEAL_KEY) if text in caplog.text]
