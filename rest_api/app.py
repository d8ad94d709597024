"""Create the REST API: routes, checks, errors as problems, and its OpenAPI document."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request

from fraudwatch.adapters.edge.edge_tokens import TokensUnavailable
from fraudwatch.adapters.http.key_check import KeyCheck, add_key_check
from fraudwatch.adapters.http.problem_json import (
    ProblemResponse,
    add_problem_handlers,
    refused_response,
)
from fraudwatch.application.alert_stream import LogUnavailable, RetentionExceeded
from fraudwatch.application.intake.intake import RefusedBatch
from fraudwatch.application.ports import NotDelivered, StoreUnavailable
from fraudwatch.observability.metrics import counter
from rest_api import alerts, health, labels, stream, verdicts
from rest_api.document import describe
from rest_api.services import RestApiServices
from rest_api.timing import TimedRequests

log = logging.getLogger("rest_api")

_RETRY_AFTER: Final = {"Retry-After": "2"}
_unavailable = counter("fraudwatch_rest_api_unavailable")


def create_app(services: RestApiServices, check: KeyCheck) -> FastAPI:
    """Create the HTTP API over these services."""
    app = FastAPI(
        title="Fraudwatch REST API",
        version="1",
        # Names of the functions, which name the operations of a generated client.
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.services = services
    # The stream's path would match that of one alert.
    for module in (verdicts, stream, alerts, labels, health):
        app.include_router(module.routes)
    add_problem_handlers(app)
    add_key_check(app, check)
    for error, handler in (
        (StoreUnavailable, _store_unavailable),
        (NotDelivered, _broker_unavailable),
        (LogUnavailable, _broker_unavailable),
        (TokensUnavailable, _tokens_unavailable),
        (RetentionExceeded, _gone),
        (RefusedBatch, _refused_batch),
    ):
        app.add_exception_handler(error, handler)
    app.add_middleware(TimedRequests)
    describe(app)
    return app


def _away(request: Request, error: Exception, name: str, detail: str) -> ProblemResponse:
    log.warning("%s", error)
    _unavailable.labels(engine=name).inc()
    return ProblemResponse(
        request,
        HTTPStatus.SERVICE_UNAVAILABLE,
        detail,
        kind=f"{name}-unavailable",
        title=f"{name.capitalize()} unavailable",
        headers=_RETRY_AFTER,
    )


def _store_unavailable(request: Request, error: Exception) -> ProblemResponse:
    return _away(request, error, "store", "the store does not answer; send the request again later")


def _broker_unavailable(request: Request, error: Exception) -> ProblemResponse:
    detail = "the broker does not answer, so nothing was accepted; send the request again later"
    return _away(request, error, "broker", detail)


def _tokens_unavailable(request: Request, error: Exception) -> ProblemResponse:
    detail = (
        "the identifier cannot be tokenised now; send the request again later, or search by token"
    )
    return _away(request, error, "tokens", detail)


def _gone(request: Request, error: Exception) -> ProblemResponse:
    log.info("a stream cannot resume: %s", error)
    return ProblemResponse(
        request,
        HTTPStatus.GONE,
        "the log no longer has what follows this id; list the alerts since then with "
        "GET /v1/alerts, and connect without an id",
        kind="position-gone",
        title="Position gone",
    )


def _refused_batch(request: Request, error: Exception) -> ProblemResponse:
    return refused_response(request, error.refused if isinstance(error, RefusedBatch) else {})
