from __future__ import annotations

import math
import time

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from shop.api import create_app
from shop.plan import Plan
from shop.world import World

KEY = "k3y-of-an-integrator-42"
LIVE_FROM_MINUTE = 29_400_000
NOW_MS = LIVE_FROM_MINUTE * 60_000 + 30_000
WORLD = World(
    Plan(
        seed=5,
        customers=20,
        history_days=1,
        history_purchases=100,
        live_purchases_per_second=1.0,
        chargeback_delay_days=0.5,
        live_from_minute=LIVE_FROM_MINUTE,
    )
)


@pytest.fixture
def client() -> TestClient:
    app = create_app(WORLD, api_key=KEY, now_ms=lambda: NOW_MS)
    return TestClient(app, headers={"Authorization": f"Bearer {KEY}"})


def answered(endpoint: str, status: int) -> float:
    labels = {"endpoint": endpoint, "status": str(status)}
    return REGISTRY.get_sample_value("fraudwatch_shop_requests_total", labels) or 0


def metric_value(client: TestClient, name: str) -> float:
    answer = client.get("/metrics", headers={"Authorization": ""})
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return next(s.value for family in families for s in family.samples if s.name == name)


def test_requests_are_counted_by_endpoint_and_status(client: TestClient) -> None:
    requests = {
        ("/v1/feed", 200): "/v1/feed?limit=1",
        ("/v1/feed", 400): "/v1/feed?after=nonsense",
        ("/v1/extract/{day}", 404): "/v1/extract/1999-01-01",
        ("unknown", 404): "/v1/made-up-by-the-caller",
    }
    before = {key: answered(*key) for key in requests}
    for path in requests.values():
        client.get(path)
    assert {key: answered(*key) - before[key] for key in requests} == dict.fromkeys(requests, 1)


def test_a_refused_request_is_counted_and_monitoring_is_not(client: TestClient) -> None:
    before = answered("/v1/feed", 401)
    client.get("/v1/feed", headers={"Authorization": "Bearer wrong"})
    assert answered("/v1/feed", 401) - before == 1
    client.get("/health")
    client.get("/metrics")
    assert answered("/health", 200) == answered("/metrics", 200) == answered("unknown", 200) == 0


def test_the_number_of_purchases_is_that_of_the_feed(client: TestClient) -> None:
    page = client.get("/v1/feed", params={"limit": 5_000}).json()
    assert metric_value(client, "fraudwatch_shop_purchases_told") == len(page["events"]) > 100


def test_precomputation_is_reported_to_the_end_of_the_minute(client: TestClient) -> None:
    with client:  # entering starts the precomputation of minutes
        until = time.monotonic() + 10
        precomputed_until = math.nan
        while not precomputed_until >= NOW_MS / 1_000 and time.monotonic() < until:
            precomputed_until = metric_value(client, "fraudwatch_shop_made_until_seconds")
    assert precomputed_until == (LIVE_FROM_MINUTE + 1) * 60
