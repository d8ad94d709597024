"""Every endpoint for every kind of key: what is allowed, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.samples import a_token, a_verdict
from tests.unit.rest_api.conftest import World

LABEL = {"source": "shop", "id": "1", "verdict": "fraud", "by": "bank", "known_at_ms": 10**12}
SEARCH = {"customer": {"source": "shop", "customer_id": "customer-1"}}
# Scope -> the endpoints that need it, with the answer to a key that has it for the source `shop`.
ENDPOINTS: dict[str, list[tuple[str, str, Any, int]]] = {
    "read": [
        ("GET", "/v1/verdicts/shop:1", None, 200),
        ("GET", "/v1/alerts", None, 200),
        ("POST", "/v1/alert-search", SEARCH, 200),
        ("GET", "/v1/alerts/shop:1", None, 200),
    ],
    "label": [("POST", "/v1/labels", LABEL, 202)],
}
STREAM = "/v1/alerts/stream"
ALL = [(scope, *one) for scope, some in ENDPOINTS.items() for one in some]
OPEN = {"/healthz", "/readyz"}


def test_the_walk_knows_every_endpoint(world: World) -> None:
    paths = set(world.app.openapi()["paths"])
    walked = {path.replace("shop:1", "{transaction_id}") for _, _, path, _, _ in ALL}
    assert paths == walked | {STREAM} | OPEN


@pytest.mark.parametrize(("scope", "method", "path", "body", "status"), ALL)
def test_an_endpoint_answers_to_keys_with_its_scope_alone(
    world: World, scope: str, method: str, path: str, body: Any, status: int
) -> None:
    answers = {
        key_id: world.client(key_id).request(method, path, json=body)
        for key_id in (None, "unknown", "expired", "revoked", "reader", "labeller", "ingester")
    }
    statuses = {key_id: answer.status_code for key_id, answer in answers.items()}
    assert statuses == {
        None: 401,
        "unknown": 401,
        "expired": 401,
        "revoked": 401,
        "reader": status if scope == "read" else 403,
        "labeller": status if scope == "label" else 403,
        "ingester": 403,
    }
    for answer in answers.values():
        if answer.status_code != status:
            assert answer.headers["content-type"] == "application/problem+json"
    assert len(world.labels.messages) == (1 if scope == "label" else 0)


@pytest.mark.parametrize("key_id", [None, "unknown", "expired", "revoked", "labeller", "ingester"])
def test_the_stream_needs_a_key_that_reads(world: World, key_id: str | None) -> None:
    expected = 403 if key_id in ("labeller", "ingester") else 401
    assert world.client(key_id).get(STREAM).status_code == expected


@pytest.mark.parametrize("path", sorted({*OPEN, "/metrics"}))
def test_health_and_metrics_need_no_key(world: World, path: str) -> None:
    assert world.client(None).get(path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/verdicts/shop:1", None),
        ("GET", "/v1/verdicts/shop:never", None),
        ("GET", "/v1/alerts/shop:1", None),
        ("GET", "/v1/alerts/shop:never", None),
        ("POST", "/v1/alert-search", SEARCH),
        ("POST", "/v1/labels", LABEL),
    ],
)
def test_a_key_of_another_source_learns_and_changes_nothing(
    world: World, method: str, path: str, body: Any
) -> None:
    answer = world.client("other").request(method, path, json=body)
    assert answer.status_code == 403
    assert "limited to the source bank" in answer.json()["detail"]
    assert world.labels.messages == []


@pytest.mark.parametrize("filters", [{}, {"customer_token": a_token("a")}, {"rule": "high_amount"}])
def test_a_list_has_the_alerts_of_the_keys_sources_only(
    world: World, filters: dict[str, str]
) -> None:
    world.write(a_verdict(transaction_id="shop2:1"), a_verdict(transaction_id="bank:1"))
    listed = {
        key_id: [
            alert["transaction_id"]
            for alert in world.client(key_id).get("/v1/alerts", params=filters).json()["alerts"]
        ]
        for key_id in ("reader", "mine", "other")
    }
    assert listed == {
        "reader": ["bank:1", "shop2:1", "shop:1"],
        "mine": ["shop:1"],
        "other": ["bank:1"],
    }


def test_a_key_above_its_rate_gets_a_time_to_come_back(world: World) -> None:
    client = world.client("slow")
    statuses = [client.get("/v1/alerts").status_code for _ in range(5)]
    assert 429 in statuses
    refused = client.get("/v1/alerts")
    assert int(refused.headers["Retry-After"]) >= 1


def test_an_approved_purchase_has_a_verdict_and_no_alert(world: World) -> None:
    world.write(a_verdict(transaction_id="shop:2", outcome=Outcome.APPROVE))
    client = world.client("mine")
    assert client.get("/v1/verdicts/shop:2").json()["outcome"] == "approve"
    assert client.get("/v1/alerts/shop:2").status_code == 404
