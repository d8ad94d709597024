"""``POST /v1/tokens`` and its client: the token of a purchase's customer, for one caller alone."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi.testclient import TestClient

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
from fraudwatch.adapters.edge.edge_tokens import EdgeTokens, TokensUnavailable
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.http.key_check import KeyCheck
from fraudwatch.application.intake.admit import Edge
from fraudwatch.domain.money import RateTable
from fraudwatch.samples import NOON_MS, a_purchase
from streaming.ingest.api import IngestServices, create_app
from streaming.ingest.tokens import LARGEST_BODY_BYTES, TokenChannel, add_tokens

KEY = "a-key-of-the-rest-api"
CUSTOMER = {"source": "shop", "customer_id": "customer-1"}


@pytest.fixture
def vault(tmp_path: Path) -> TinkVault:
    return TinkVault(tmp_path)


@pytest.fixture
def ingest(vault: TinkVault, tmp_path: Path) -> TestClient:
    keys = ApiKeyFile(tmp_path / "api_keys" / "keys.json")
    app = create_app(cast("IngestServices", None), KeyCheck(keys))
    add_tokens(app, TokenChannel(vault, KEY))
    return TestClient(app)


def post(ingest: TestClient, body: Any, key: str = KEY) -> httpx.Response:
    return cast(
        "httpx.Response",
        ingest.post("/v1/tokens", json=body, headers={"Authorization": f"Bearer {key}"}),
    )


def client_over(ingest: TestClient, key: str = KEY) -> EdgeTokens:
    """The client, whose requests end in ingest itself."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = ingest.request(
            request.method, request.url.path, content=request.read(), headers=request.headers
        )
        return httpx.Response(found.status_code, content=found.content)

    return EdgeTokens("http://ingest", key, transport=httpx.MockTransport(answer))


def test_the_token_is_that_of_the_customers_purchases(ingest: TestClient, vault: TinkVault) -> None:
    admitted = Edge(vault, RateTable([])).admit(a_purchase(), now_ms=NOON_MS)
    assert client_over(ingest).customer_token("shop", "customer-1") == admitted.customer_token
    assert client_over(ingest).customer_token("bank", "customer-1") != admitted.customer_token


def test_no_other_caller_gets_a_token(ingest: TestClient) -> None:
    for key in ("", "another", KEY[:-1]):
        assert post(ingest, CUSTOMER, key).status_code == 401
    with pytest.raises(TokensUnavailable, match="TOKENS_API_KEY"):
        client_over(ingest, "another").customer_token("shop", "customer-1")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"source": "shop"},
        {"source": "SHOP", "customer_id": "customer-1"},
        {"source": "shop", "customer_id": ""},
        {"source": "shop", "customer_id": "c" * 129},
    ],
)
def test_an_invalid_reference_is_refused_without_quoting_it(
    ingest: TestClient, body: dict[str, str]
) -> None:
    answer = post(ingest, body)
    assert answer.status_code == 422
    assert "customer-1" not in answer.text


def test_a_body_that_is_too_large_is_refused(ingest: TestClient) -> None:
    assert post(ingest, CUSTOMER | {"more": "x" * LARGEST_BODY_BYTES}).status_code == 413


def test_neither_identifier_nor_token_is_logged(
    ingest: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = client_over(ingest).customer_token("shop", "customer-1")
    ours = [one.getMessage() for one in caplog.records if not one.name.startswith("httpcore")]
    assert not [text for text in ours if "customer-1" in text or token in text]


def test_an_edge_that_is_away_is_named() -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    tokens = EdgeTokens("http://ingest", KEY, transport=httpx.MockTransport(fail))
    with pytest.raises(TokensUnavailable, match="does not answer at http://ingest"):
        tokens.customer_token("shop", "customer-1")


def test_an_answer_outside_the_contract_is_no_token() -> None:
    for status in (404, 422, 500):
        transport = httpx.MockTransport(lambda _, status=status: httpx.Response(status))
        with pytest.raises(TokensUnavailable, match=str(status)):
            EdgeTokens("http://ingest", KEY, transport=transport).customer_token("shop", "c")
