"""The committed OpenAPI document and Python client are those of this code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.domain.messages.verdict import Verdict
from rest_api import openapi_files
from rest_api.openapi_files import CLIENT, DOCUMENT, GENERATED, ROOT

RENEW = "renew both with `make client`"
METHODS = {"get", "post"}


def files_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == openapi_files.document(), RENEW


def test_the_client_is_up_to_date(tmp_path: Path) -> None:
    openapi_files.generate_client(DOCUMENT, tmp_path / "client")
    assert files_of(tmp_path / "client") == files_of(GENERATED), RENEW


def operations() -> list[tuple[str, dict[str, object]]]:
    paths = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
    return [
        (f"{method} {path}", operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if method in METHODS and path.startswith("/v1/")
    ]


@pytest.mark.parametrize(("name", "operation"), operations(), ids=lambda one: str(one)[:40])
def test_every_operation_describes_its_errors_and_has_an_example(
    name: str, operation: dict[str, dict[str, dict[str, object]]]
) -> None:
    responses = operation["responses"]
    assert {"401", "403", "422", "429", "503"} <= set(responses), name
    for status, response in responses.items():
        assert response["description"], (name, status)
        if int(status) >= 400:
            assert list(response["content"]) == ["application/problem+json"], (name, status)  # type: ignore[call-overload]
    text = json.dumps(operation)
    assert '"example' in text, name


def test_an_example_is_a_message() -> None:
    [verdict] = [one for name, one in operations() if name.startswith("get /v1/verdicts")]
    example = verdict["responses"]["200"]["content"]["application/json"]["example"]  # type: ignore[index]
    assert decode(Verdict, json.dumps(example).encode()).transaction_id == "shop:1"


def test_sealed_fields_are_in_no_schema() -> None:
    assert '"sealed"' not in DOCUMENT.read_text(encoding="utf-8")


def test_the_lines_of_the_page_are_those_of_the_document() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for name, _ in operations():
        method, path = name.split()
        assert f"`{method.upper()} {path}`" in page, name
    assert CLIENT.name in page
