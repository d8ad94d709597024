from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
from fraudwatch.adapters.http.key_check import KeyCheck, add_key_check, require
from fraudwatch.adapters.http.problem_json import MEDIA_TYPE, add_problem_handlers
from fraudwatch.domain.api_keys import ApiKey, Scope, digest_of, presented_form
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Problem

NOW_MS = 1_700_000_000_000
READER = ApiKey(
    key_id="reader",
    client="dashboard",
    scopes=(Scope.READ,),
    sources=("shop",),
    requests_per_second=None,
    created_at_ms=NOW_MS,
    expires_at_ms=None,
    revoked_at_ms=None,
    secret_sha256=digest_of("secret"),
)
SLOW = replace(READER, key_id="slow", requests_per_second=0.5)
OLD = replace(READER, key_id="old", expires_at_ms=NOW_MS)
GONE = replace(READER, key_id="gone", revoked_at_ms=NOW_MS)


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = ApiKeyFile(tmp_path / "keys.json")
    for key in (READER, SLOW, OLD, GONE):
        file.change(lambda _, key=key: key)  # type: ignore[misc]
    return tmp_path / "keys.json"


@pytest.fixture
def client(path: Path, clock: Clock) -> TestClient:
    app = FastAPI()
    add_problem_handlers(app)
    add_key_check(app, KeyCheck(ApiKeyFile(path), lambda: NOW_MS, clock))

    @app.get("/read/{source}")
    def read(source: str, key: Annotated[ApiKey, Depends(require(Scope.READ))]) -> str:
        key.require_sources([source])
        return key.client

    @app.get("/label")
    def label(_: Annotated[ApiKey, Depends(require(Scope.LABEL))]) -> None: ...

    @app.get("/any")
    def accept_any(_: Annotated[ApiKey, Depends(require(None))], number: int = 0) -> int:
        return number

    @app.get("/fails")
    def fail() -> None:
        raise RuntimeError("with a value")

    @app.get("/refuses")
    def refuse() -> None:
        raise Refused(Code.WRONG_SCHEMA, [Problem("amount_minor", "is missing")])

    @app.get("/closed")
    def close() -> None:
        raise HTTPException(413, "send less")

    return TestClient(app, raise_server_exceptions=False)


def call(client: TestClient, path: str, key: str = "reader", scheme: str = "Bearer") -> Any:
    presented = presented_form(key, "secret")
    return client.get(path, headers={"Authorization": f"{scheme} {presented}"})


def test_the_scope_and_the_source_are_required(client: TestClient) -> None:
    assert call(client, "/read/shop").json() == "dashboard"
    assert call(client, "/read/shop", scheme="bearer").status_code == 200
    other = call(client, "/read/bank")
    assert (other.status_code, other.headers["content-type"]) == (403, MEDIA_TYPE)
    assert "source shop" in other.json()["detail"]
    scope = call(client, "/label")
    assert scope.status_code == 403
    assert "'label'" in scope.json()["detail"]


def test_refused_keys_all_get_the_same_answer(client: TestClient) -> None:
    wrong = {"Authorization": "Bearer fwk_reader_wrong"}
    answers = [
        client.get("/any"),
        client.get("/any", headers=wrong),
        client.get("/any", headers={"Authorization": "Basic abc"}),
        call(client, "/any", "nobody"),
        call(client, "/any", "old"),
        call(client, "/any", "gone"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].headers["WWW-Authenticate"] == "Bearer"


def test_a_rate_is_limited_by_key_and_recovers(client: TestClient, clock: Clock) -> None:
    assert call(client, "/any", "slow").status_code == 200
    refused = call(client, "/any", "slow")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
    assert call(client, "/any").status_code == 200
    clock.seconds += 1.9
    assert call(client, "/any", "slow").status_code == 429
    clock.seconds += 0.1
    assert call(client, "/any", "slow").status_code == 200


def test_an_unreadable_file_is_a_temporary_failure(client: TestClient, path: Path) -> None:
    path.write_text("{")
    answer = call(client, "/any")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert str(path) not in answer.text


def test_every_error_is_a_problem(client: TestClient) -> None:
    found = {
        path: call(client, path)
        for path in ("/any?number=4111111111111111x", "/fails", "/refuses", "/closed", "/nowhere")
    }
    assert [answer.status_code for answer in found.values()] == [422, 500, 422, 413, 404]
    for path, answer in found.items():
        assert answer.headers["content-type"] == MEDIA_TYPE
        problem = answer.json()
        assert {"type", "title", "status", "detail", "instance"} <= problem.keys()
        assert (problem["status"], problem["instance"]) == (answer.status_code, path.split("?")[0])
        assert "4111111111111111" not in answer.text
        assert "with a value" not in answer.text
    assert found["/refuses"].json()["problems"] == [
        {"index": 0, "code": "wrong_schema", "field": "amount_minor", "reason": "is missing"}
    ]
    assert found["/any?number=4111111111111111x"].json()["problems"][0]["field"] == "number"
    assert found["/closed"].json()["type"] == "about:blank"
