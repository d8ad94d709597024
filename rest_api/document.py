"""Complete the OpenAPI document: errors as problem+json, each where it can happen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from fraudwatch.adapters.http.problem_json import MEDIA_TYPE
from rest_api.schemas import BrokenField, Problem

ABOUT: Final = """Verdicts, alerts and labels for programs.

Requests carry an API key (`Authorization: Bearer fwk_…`), made by `./fraudwatch keys`, with the
scope `read` or `label`. A key may be limited to sources and to a rate. Errors are problem+json (RFC
9457); they never quote a value of the request. Instants are epoch milliseconds, UTC. Customers are
tokens: the same customer of the same source has the same token.
"""
_ERRORS: Final[Mapping[str, str]] = {
    "400": "The body is no JSON",
    "401": "The API key is missing, unknown, expired or revoked",
    "403": "The key lacks the scope, or is limited to other sources",
    "404": "There is none",
    "410": "The log no longer has what follows this id",
    "422": "A parameter or field is missing or invalid: see `problems`",
    "429": "The key sends too many requests; send it again after `Retry-After` seconds",
    "503": "The store, the broker or ingest does not answer; send the request again later",
}
_OF_ALL: Final = ("401", "403", "422", "429", "503")
_FRAMEWORKS_OWN: Final = ("HTTPValidationError", "ValidationError")


def describe(app: FastAPI) -> None:
    """Replace the document that the framework generates by the completed one."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # as the framework documents it


def document_text(app: FastAPI) -> str:
    """Return the document as it is stored under ``contracts/openapi``."""
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


def _completed(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=ABOUT, routes=app.routes
    )
    schemas = document["components"]["schemas"]
    for name in _FRAMEWORKS_OWN:
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas["Problem"].pop("$defs")
    schemas["BrokenField"] = BrokenField.model_json_schema()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _add_errors(path, operation)
    return document


def _add_errors(path: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if not path.startswith("/v1/"):
        return
    own = {"400": "requestBody" in operation, "404": "{" in path, "410": "stream" in path}
    codes = [*_OF_ALL, *(code for code, can_happen in own.items() if can_happen)]
    responses.pop("422", None)
    for code in sorted(codes):
        responses[code] = {
            "description": _ERRORS[code],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
