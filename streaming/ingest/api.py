"""Serve ingest's HTTP API; docstrings of endpoints are shown at ``/docs``."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.http.key_check import KeyCheck, add_key_check, require
from fraudwatch.adapters.http.problem_json import (
    ProblemResponse,
    add_problem_handlers,
    listed_problems,
    refused_response,
)
from fraudwatch.application.dead_letters.quota import DeadLetterQuota
from fraudwatch.application.intake.intake import OtherContent, RefusedBatch
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.api_keys import ApiKey, Scope
from fraudwatch.domain.messages.label import ReportedLabel
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.source_contract import SourceContracts
from fraudwatch.observability.metrics import counter
from streaming.ingest import sources
from streaming.ingest.channel import IngestChannel
from streaming.ingest.quota import add_quota, within_quota
from streaming.ingest.sync_scoring import VerdictWaiter, submit_and_wait

log = logging.getLogger("ingest")

Content = TypeVar("Content")
LARGEST_BATCH = 1_000
LARGEST_BODY_BYTES = 4 * 1024 * 1024
LONGEST_WAIT_SECONDS = 5.0
_RETRY_AFTER_SECONDS = 2
_NAMED_IDS = 10
_other_contents = counter("fraudwatch_ingest_other_content")


@dataclass(frozen=True, slots=True)
class IngestServices:
    """The services behind the API."""

    purchases: IngestChannel[Purchase]
    labels: IngestChannel[ReportedLabel]
    waiter: VerdictWaiter
    contracts: SourceContracts
    sandbox_purchases: IngestChannel[Purchase]
    sandbox_waiter: VerdictWaiter

    def scoring_for(self, key: ApiKey) -> tuple[IngestChannel[Purchase], VerdictWaiter]:
        """Return the channel of a key's purchases, and the waiter for their verdicts."""
        if key.is_sandbox:
            return self.sandbox_purchases, self.sandbox_waiter
        return self.purchases, self.waiter


def _services(request: Request) -> IngestServices:
    services: IngestServices = request.app.state.services
    return services


_Services = Annotated[IngestServices, Depends(_services)]


public_routes = APIRouter()
keyed_routes = APIRouter(prefix="/v1")


@public_routes.get("/health")
def health() -> dict[str, str]:
    """Report that ingest is running."""
    return {"status": "ok"}


@public_routes.get("/metrics", include_in_schema=False)
def metrics() -> Response:
    """Export the metrics for Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@keyed_routes.get("/status", dependencies=[Depends(require(None))])
def show_status(services: _Services) -> dict[str, Any]:
    """Report cursor, lag and counts of accepted messages: purchases, and below them labels."""
    return asdict(services.purchases.status) | {"labels": asdict(services.labels.status)}


@keyed_routes.post("/transactions", status_code=202)
async def post_transactions(
    request: Request,
    services: _Services,
    key: Annotated[ApiKey, Depends(within_quota(Scope.INGEST))],
    wait_seconds: Annotated[float, Query(ge=0, le=LONGEST_WAIT_SECONDS)] = 0,
) -> JSONResponse:
    """Submit one purchase or a list of up to 1,000: all are accepted, or none, with reasons.

    Idempotent by ``source`` and ``id``: a repeated purchase changes nothing. 202 means that
    the broker has acknowledged every purchase of the call.

    With ``wait_seconds`` the call waits for the verdicts: 200 when the response has all of them,
    202 when the time was over before; ``pending`` lists the purchases without a verdict. They are
    scored all the same. A caller that timed out sends the purchase again: it gets the verdict of
    the first. ``deadline_ms`` is the shortest of the purchases' sources: see ``/v1/sources``.

    409: an id was accepted before with other content; nothing of the batch was accepted. This is
    known of the last 200,000 purchases, and of stored verdicts for 35 days (with ``wait_seconds``
    for 90).

    429 ``source-paused``: this key sent too much that was refused; its operator resumes it.

    With a sandbox key purchases are judged and never stored: the response has ``is_sandbox``.
    """
    purchases = await read_contents(request, Purchase)
    key.require_sources(one.source for one in purchases)
    channel, waiter = services.scoring_for(key)
    mark = {"is_sandbox": True} if key.is_sandbox else {}
    if not wait_seconds:
        result = await run_in_threadpool(channel.submit, purchases)
        return JSONResponse({"accepted": result.accepted, "repeated": result.repeated} | mark, 202)
    response = await submit_and_wait(purchases, channel, waiter, wait_seconds=wait_seconds)
    body = asdict(replace(response, deadline_ms=_deadline_ms(services.contracts, purchases)))
    return JSONResponse(body | mark, 202 if response.pending else 200)


def _deadline_ms(contracts: SourceContracts, purchases: Sequence[Purchase]) -> int | None:
    """Return the shortest deadline of the purchases' sources."""
    names = {purchase.source for purchase in purchases}
    return min((contracts.of(name).deadline_ms for name in names), default=None)


@keyed_routes.post("/labels", status_code=202)
async def post_labels(
    request: Request,
    services: _Services,
    key: Annotated[ApiKey, Depends(within_quota(Scope.LABEL))],
) -> JSONResponse:
    """Submit one label or a list of up to 1,000: what purchases turned out to be.

    A chargeback is ``fraud``, a withdrawn one is ``genuine``; the latest label counts. Name the
    purchase by its ``source`` and ``id``, and give in ``known_at_ms`` the time since when it is
    known, so that a repeated label changes nothing. 202 means that the broker has acknowledged all.
    """
    labels = await read_contents(request, ReportedLabel)
    key.require_sources(one.source for one in labels)
    result = await run_in_threadpool(services.labels.submit, labels)
    return JSONResponse({"accepted": result.accepted, "repeated": result.repeated}, 202)


async def read_contents(request: Request, content: type[Content]) -> list[Content]:
    """Decode the body: one message of the type, or a list of them."""
    if int(request.headers.get("content-length", LARGEST_BODY_BYTES + 1)) > LARGEST_BODY_BYTES:
        raise HTTPException(
            413, f"send at most {LARGEST_BODY_BYTES} bytes, with a Content-Length header"
        )
    contents = await run_in_threadpool(_decoded, content, await request.body())
    if len(contents) > LARGEST_BATCH:
        raise HTTPException(413, f"send at most {LARGEST_BATCH} in one call")
    request.state.messages = len(contents)
    return contents


def _decoded(content: type[Content], body: bytes) -> list[Content]:
    is_list = body.lstrip()[:1] == b"["
    return decode(list[content], body) if is_list else [decode(content, body)]  # type: ignore[valid-type]


def _refused_batch(request: Request, error: Exception) -> JSONResponse:
    return refused_response(request, error.refused if isinstance(error, RefusedBatch) else {})


def _other_content(request: Request, error: Exception) -> JSONResponse:
    others = error if isinstance(error, OtherContent) else OtherContent({}, ())
    _other_contents.inc()
    return ProblemResponse(
        request,
        409,
        "an id was accepted before with other content, so nothing of the batch was accepted; send "
        f"a new purchase with an id of its own: {', '.join(others.names[:_NAMED_IDS])}",
        kind="other-content",
        title="Repeated id with other content",
        extensions={
            "transaction_ids": list(others.names),
            "problems": listed_problems(others.refused),
        },
    )


def _not_delivered(request: Request, error: Exception) -> JSONResponse:
    log.warning("%s", error)
    return ProblemResponse(
        request,
        503,
        "the broker does not acknowledge; send the same batch again later",
        kind="not-delivered",
        title="Log unavailable",
        headers={"Retry-After": str(_RETRY_AFTER_SECONDS)},
    )


def create_app(
    services: IngestServices, keys: KeyCheck, quota: DeadLetterQuota | None = None
) -> FastAPI:
    """Create the HTTP API over these services, for callers with these keys."""
    app = FastAPI(title="Fraudwatch ingest", version="1")
    app.state.services = services
    app.include_router(public_routes)
    app.include_router(keyed_routes)
    app.include_router(sources.keyed_routes)
    add_problem_handlers(app)
    add_key_check(app, keys)
    add_quota(app, quota)
    app.add_exception_handler(RefusedBatch, _refused_batch)
    app.add_exception_handler(OtherContent, _other_content)
    app.add_exception_handler(NotDelivered, _not_delivered)
    return app
