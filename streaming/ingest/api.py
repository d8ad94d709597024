"""Serve ingest's HTTP API; docstrings of endpoints are shown at ``/docs``."""

from __future__ import annotations

import hmac
import logging
from dataclasses import asdict, dataclass
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.application.intake.intake import RefusedBatch
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Problem
from fraudwatch.domain.messages.label import ReportedLabel
from fraudwatch.domain.messages.purchase import Purchase
from streaming.ingest.channel import IngestChannel
from streaming.ingest.sync_scoring import VerdictWaiter, submit_and_wait

log = logging.getLogger("ingest")

Content = TypeVar("Content")
LARGEST_BATCH = 1_000
LARGEST_BODY_BYTES = 4 * 1024 * 1024
LONGEST_WAIT_SECONDS = 5.0
_RETRY_AFTER_SECONDS = 2


@dataclass(frozen=True, slots=True)
class IngestServices:
    """The services behind the API, and its key."""

    purchases: IngestChannel[Purchase]
    labels: IngestChannel[ReportedLabel]
    waiter: VerdictWaiter
    api_key: str


def _services(request: Request) -> IngestServices:
    services: IngestServices = request.app.state.services
    return services


_Services = Annotated[IngestServices, Depends(_services)]


def has_key(authorization: str, api_key: str) -> bool:
    """Return whether this header holds the API key."""
    # In constant time: the response time must not reveal how much of a guess was right.
    return hmac.compare_digest(authorization.encode(), f"Bearer {api_key}".encode())


def _check_key(services: _Services, authorization: Annotated[str, Header()] = "") -> None:
    if not has_key(authorization, services.api_key):
        raise HTTPException(401, "send the header 'Authorization: Bearer <INGEST_API_KEY>'")


public_routes = APIRouter()
keyed_routes = APIRouter(prefix="/v1", dependencies=[Depends(_check_key)])


@public_routes.get("/health")
def health() -> dict[str, str]:
    """Report that ingest is running."""
    return {"status": "ok"}


@public_routes.get("/metrics", include_in_schema=False)
def metrics() -> Response:
    """Export the metrics for Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@keyed_routes.get("/status")
def show_status(services: _Services) -> dict[str, Any]:
    """Report cursor, lag and counts of accepted messages: purchases, and below them labels."""
    return asdict(services.purchases.status) | {"labels": asdict(services.labels.status)}


@keyed_routes.post("/transactions", status_code=202)
async def post_transactions(
    request: Request,
    services: _Services,
    wait_seconds: Annotated[float, Query(ge=0, le=LONGEST_WAIT_SECONDS)] = 0,
) -> JSONResponse:
    """Submit one purchase or a list of up to 1,000: all are accepted, or none, with reasons.

    Idempotent by ``source`` and ``id``: a repeated purchase changes nothing. 202 means that
    the broker has acknowledged every purchase of the call.

    With ``wait_seconds`` the call waits for the verdicts: 200 when the response has all of them,
    202 when the time was over before; ``pending`` lists the purchases without a verdict. They are
    scored all the same. A purchase that was submitted before has its verdict already and gets no
    other, so it is pending at once.
    """
    purchases = await _read(request, Purchase)
    if not wait_seconds:
        result = await run_in_threadpool(services.purchases.submit, purchases)
        return JSONResponse({"accepted": result.accepted, "repeated": result.repeated}, 202)
    response = await submit_and_wait(
        purchases, services.purchases, services.waiter, wait_seconds=wait_seconds
    )
    return JSONResponse(asdict(response), 202 if response.pending else 200)


@keyed_routes.post("/labels", status_code=202)
async def post_labels(request: Request, services: _Services) -> JSONResponse:
    """Submit one label or a list of up to 1,000: what purchases turned out to be.

    A chargeback is ``fraud``, a withdrawn one is ``genuine``; the latest label counts. Name the
    purchase by its ``source`` and ``id``, and give in ``known_at_ms`` the time since when it is
    known, so that a repeated label changes nothing. 202 means that the broker has acknowledged all.
    """
    labels = await _read(request, ReportedLabel)
    result = await run_in_threadpool(services.labels.submit, labels)
    return JSONResponse({"accepted": result.accepted, "repeated": result.repeated}, 202)


async def _read(request: Request, content: type[Content]) -> list[Content]:
    if int(request.headers.get("content-length", LARGEST_BODY_BYTES + 1)) > LARGEST_BODY_BYTES:
        raise HTTPException(
            413, f"send at most {LARGEST_BODY_BYTES} bytes, with a Content-Length header"
        )
    contents = await run_in_threadpool(_decoded, content, await request.body())
    if len(contents) > LARGEST_BATCH:
        raise HTTPException(413, f"send at most {LARGEST_BATCH} in one call")
    return contents


def _decoded(content: type[Content], body: bytes) -> list[Content]:
    is_list = body.lstrip()[:1] == b"["
    return decode(list[content], body) if is_list else [decode(content, body)]  # type: ignore[valid-type]


def _problems(refused: dict[int, Refused]) -> JSONResponse:
    listed = [
        {"index": index, "code": refusal.code, "field": problem.field, "reason": problem.reason}
        for index, refusal in refused.items()
        for problem in refusal.problems
    ]
    return JSONResponse({"problems": listed}, 422)


def _refused_body(_: Request, error: Exception) -> JSONResponse:
    return _problems({0: error} if isinstance(error, Refused) else {})


def _refused_batch(_: Request, error: Exception) -> JSONResponse:
    return _problems(error.refused if isinstance(error, RefusedBatch) else {})


def _refused_query(_: Request, error: Exception) -> JSONResponse:
    """Report invalid parameters; the framework's own response would quote the request."""
    errors = error.errors() if isinstance(error, RequestValidationError) else []
    named = [Problem(str(one["loc"][-1]), str(one["msg"]).lower()) for one in errors]
    return _problems({0: Refused(Code.OUT_OF_BOUNDS, named)})


def _not_delivered(_: Request, error: Exception) -> JSONResponse:
    log.warning("%s", error)
    return JSONResponse(
        {"detail": "the broker does not acknowledge; send the same batch again later"},
        503,
        headers={"Retry-After": str(_RETRY_AFTER_SECONDS)},
    )


def create_app(services: IngestServices) -> FastAPI:
    """Create the HTTP API over these services."""
    app = FastAPI(title="Fraudwatch ingest", version="1")
    app.state.services = services
    app.include_router(public_routes)
    app.include_router(keyed_routes)
    app.add_exception_handler(Refused, _refused_body)
    app.add_exception_handler(RefusedBatch, _refused_batch)
    app.add_exception_handler(RequestValidationError, _refused_query)
    app.add_exception_handler(NotDelivered, _not_delivered)
    return app
