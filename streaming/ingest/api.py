"""The edge's HTTP interface; its docstrings are the documentation at ``/docs``."""

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
from streaming.ingest.channel import Door
from streaming.ingest.sync_scoring import Hearing, take_and_wait

log = logging.getLogger("ingest")

Content = TypeVar("Content")
LARGEST_BATCH = 1_000
LARGEST_BODY_BYTES = 4 * 1024 * 1024
LONGEST_WAIT_SECONDS = 5.0
_RETRY_AFTER_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Served:
    """What stands behind the interface, and the key that opens it."""

    purchases: Door[Purchase]
    labels: Door[ReportedLabel]
    hearing: Hearing
    api_key: str


def _served(request: Request) -> Served:
    served: Served = request.app.state.served
    return served


_Served = Annotated[Served, Depends(_served)]


def shows(authorization: str, api_key: str) -> bool:
    """Does this header show the key?"""
    # In constant time: how far a guess was right must not be told by how long the answer takes.
    return hmac.compare_digest(authorization.encode(), f"Bearer {api_key}".encode())


def _check_key(served: _Served, authorization: Annotated[str, Header()] = "") -> None:
    if not shows(authorization, served.api_key):
        raise HTTPException(401, "send the header 'Authorization: Bearer <INGEST_API_KEY>'")


open_to_all = APIRouter()
keyed = APIRouter(prefix="/v1", dependencies=[Depends(_check_key)])


@open_to_all.get("/health")
def health() -> dict[str, str]:
    """Answers when the door is open."""
    return {"status": "ok"}


@open_to_all.get("/metrics", include_in_schema=False)
def metrics() -> Response:
    """What Prometheus reads."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@keyed.get("/status")
def show_status(served: _Served) -> dict[str, Any]:
    """Where the feeds stand and what has been taken: purchases, and below them labels."""
    return asdict(served.purchases.standing) | {"labels": asdict(served.labels.standing)}


@keyed.post("/transactions", status_code=202)
async def post_transactions(
    request: Request,
    served: _Served,
    wait_seconds: Annotated[float, Query(ge=0, le=LONGEST_WAIT_SECONDS)] = 0,
) -> JSONResponse:
    """Take one purchase or a list of up to 1,000: all of it, or nothing and the reasons.

    Idempotent by ``source`` and ``id``: giving a purchase again does no harm. 202 means that
    the broker has acknowledged every purchase of the call.

    With ``wait_seconds`` the answer waits for the verdicts: 200 when all of them are in it, 202
    when time was over before; ``pending`` names the purchases without one. They are judged all the
    same. A purchase that was given before has its verdict already and gets no other, so it is
    pending at once.
    """
    purchases = await _read(request, Purchase)
    if not wait_seconds:
        taken = await run_in_threadpool(served.purchases.take, purchases)
        return JSONResponse({"accepted": taken.accepted, "repeated": taken.repeated}, 202)
    waited = await take_and_wait(
        purchases, served.purchases, served.hearing, wait_seconds=wait_seconds
    )
    return JSONResponse(asdict(waited), 202 if waited.pending else 200)


@keyed.post("/labels", status_code=202)
async def post_labels(request: Request, served: _Served) -> JSONResponse:
    """Take one label or a list of up to 1,000: what purchases turned out to be.

    A chargeback is ``fraud``, one that was withdrawn is ``genuine``; the latest stands. Name the
    purchase by its ``source`` and ``id``, and say in ``known_at_ms`` since when it is known, so
    that giving the label again does no harm. 202 means that the broker has acknowledged all.
    """
    labels = await _read(request, ReportedLabel)
    taken = await run_in_threadpool(served.labels.take, labels)
    return JSONResponse({"accepted": taken.accepted, "repeated": taken.repeated}, 202)


async def _read(request: Request, content: type[Content]) -> list[Content]:
    if int(request.headers.get("content-length", LARGEST_BODY_BYTES + 1)) > LARGEST_BODY_BYTES:
        raise HTTPException(413, f"send at most {LARGEST_BODY_BYTES} bytes, with their length")
    found = await run_in_threadpool(_decoded, content, await request.body())
    if len(found) > LARGEST_BATCH:
        raise HTTPException(413, f"send at most {LARGEST_BATCH} at once")
    return found


def _decoded(content: type[Content], body: bytes) -> list[Content]:
    is_list = body.lstrip()[:1] == b"["
    return decode(list[content], body) if is_list else [decode(content, body)]  # type: ignore[valid-type]


def _problems(refused: dict[int, Refused]) -> JSONResponse:
    listed = [
        {"index": place, "code": why.code, "field": problem.field, "reason": problem.reason}
        for place, why in refused.items()
        for problem in why.problems
    ]
    return JSONResponse({"problems": listed}, 422)


def _refused_body(_: Request, error: Exception) -> JSONResponse:
    return _problems({0: error} if isinstance(error, Refused) else {})


def _refused_batch(_: Request, error: Exception) -> JSONResponse:
    return _problems(error.refused if isinstance(error, RefusedBatch) else {})


def _refused_query(_: Request, error: Exception) -> JSONResponse:
    """The framework's own answer would quote what was sent."""
    told = error.errors() if isinstance(error, RequestValidationError) else []
    named = [Problem(str(one["loc"][-1]), str(one["msg"]).lower()) for one in told]
    return _problems({0: Refused(Code.OUT_OF_BOUNDS, named)})


def _not_delivered(_: Request, error: Exception) -> JSONResponse:
    log.warning("%s", error)
    return JSONResponse(
        {"detail": "the broker does not acknowledge; send the same batch again"},
        503,
        headers={"Retry-After": str(_RETRY_AFTER_SECONDS)},
    )


def create_app(served: Served) -> FastAPI:
    """The HTTP interface over these doors."""
    app = FastAPI(title="Fraudwatch ingest", version="1")
    app.state.served = served
    app.include_router(open_to_all)
    app.include_router(keyed)
    app.add_exception_handler(Refused, _refused_body)
    app.add_exception_handler(RefusedBatch, _refused_batch)
    app.add_exception_handler(RequestValidationError, _refused_query)
    app.add_exception_handler(NotDelivered, _not_delivered)
    return app
