from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from fraudwatch.adapters.json_codec import encode
from fraudwatch.adapters.memory import MemoryDeadLetters, MemoryTopic
from fraudwatch.adapters.tink_vault import TinkVault
from fraudwatch.application.admit import Edge
from fraudwatch.application.take import Intake
from fraudwatch.domain.money import RateTable
from fraudwatch.testing import NOON_MS, a_purchase
from streaming.ingest import LARGEST_BATCH, LARGEST_BODY_BYTES, Status, create_app

KEY = "a-key-of-the-test"
HEADERS = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def topic() -> MemoryTopic:
    return MemoryTopic()


@pytest.fixture
def client(tmp_path: Path, topic: MemoryTopic) -> TestClient:
    edge = Edge(TinkVault(tmp_path), RateTable([]))
    intake = Intake(edge, topic, MemoryDeadLetters(), encode, lambda: NOON_MS)
    return TestClient(create_app(intake, Status(), KEY))


def test_one_purchase_and_a_list_are_taken(client: TestClient, topic: MemoryTopic) -> None:
    one = client.post("/v1/transactions", content=encode(a_purchase(id="1")), headers=HEADERS)
    assert (one.status_code, one.json()) == (202, {"accepted": 1, "repeated": 0})
    both = encode([a_purchase(id="1"), a_purchase(id="2")])
    two = client.post("/v1/transactions", content=both, headers=HEADERS)
    assert (two.status_code, two.json()) == (202, {"accepted": 1, "repeated": 1})
    assert len(topic.messages) == 2


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": KEY}])
def test_without_the_key_nothing_is_taken(
    client: TestClient, topic: MemoryTopic, headers: dict[str, str]
) -> None:
    answer = client.post("/v1/transactions", content=encode(a_purchase()), headers=headers)
    assert answer.status_code == 401
    assert client.get("/v1/status", headers=headers).status_code == 401
    assert topic.messages == []


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (b"garbage", "message", "not_json"),
        (b"", "message", "not_json"),
        (b'{"x": ' + b"[" * 50_000, "message", "not_json"),
        (b'{"source": "shop"}', "id", "wrong_schema"),
        (encode(a_purchase()).replace(b"2590", b"25.9"), "amount_minor", "wrong_schema"),
        (encode(a_purchase()).replace(b"2590", b"-2590"), "amount_minor", "out_of_bounds"),
        (encode(a_purchase(currency="XXX")), "currency", "unknown_currency"),
    ],
)
def test_what_is_refused_is_told_why(
    client: TestClient, topic: MemoryTopic, body: bytes, field: str, code: str
) -> None:
    answer = client.post("/v1/transactions", content=body, headers=HEADERS)
    assert answer.status_code == 422
    problem = answer.json()["problems"][0]
    assert (problem["index"], problem["field"], problem["code"]) == (0, field, code)
    assert topic.messages == []


def test_the_bad_one_of_a_list_is_named_by_its_place(
    client: TestClient, topic: MemoryTopic
) -> None:
    body = encode([a_purchase(id="1"), a_purchase(id="2", merchant_country="Germany")])
    answer = client.post("/v1/transactions", content=body, headers=HEADERS)
    assert [p["index"] for p in answer.json()["problems"]] == [1]
    assert topic.messages == []


def test_too_much_at_once_is_refused(client: TestClient) -> None:
    many = encode([a_purchase(id=str(n)) for n in range(LARGEST_BATCH + 1)])
    assert client.post("/v1/transactions", content=many, headers=HEADERS).status_code == 413
    large = b" " * (LARGEST_BODY_BYTES + 1)
    assert client.post("/v1/transactions", content=large, headers=HEADERS).status_code == 413


def test_a_broker_that_is_away_is_a_reason_to_come_back(
    client: TestClient, topic: MemoryTopic
) -> None:
    topic.is_reachable = False
    answer = client.post("/v1/transactions", content=encode(a_purchase()), headers=HEADERS)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    topic.is_reachable = True
    again = client.post("/v1/transactions", content=encode(a_purchase()), headers=HEADERS)
    assert again.json() == {"accepted": 1, "repeated": 0}


def test_status_and_metrics_tell_what_was_taken(client: TestClient) -> None:
    client.post("/v1/transactions", content=encode(a_purchase()), headers=HEADERS)
    assert client.get("/v1/status", headers=HEADERS).json()["accepted"] == 1
    assert "fraudwatch_ingest_accepted_total" in client.get("/metrics").text
    assert json.loads(client.get("/health").text) == {"status": "ok"}
