"""Serve ingest's HTTP API; docstrings of endpoints are shown at ``/docs``."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from fraudwatch.adapters.codecs.submitted import (
    label_of,
    purchase_of,
)
from fraudwatch.adapters.http.key_check import KeyCheck, add_key_check, require
from fraudwatch.adapters.http.problem_json import (
    ProblemResponse,
    add_problem_handlers,
    listed_problems,
    refused_response,
)
from fraudwatch.application.dead_letters.quota import DeadLetterQuota
from fraudwatch.application.intake.intake import OtherContent, RefusedBatch
from fraudwatch.application.ports import DiskFull, NotDelivered
from fraudwatch.domain.api_keys import ApiKey, Scope
from fraudwatch.domain.messages.label import ReportedLabel
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.source_contract import SourceContracts
from fraudwatch.observability.metrics import counter
from streaming.ingest import sources
from streaming.ingest.channel import IngestChannel
from streaming.ingest.contents import read_contents
from streaming.ingest.quota import add_quota, within_quota
from streaming.ingest.remarks import count_remarks, listed_remarks
from streaming.ingest.submissions import Submissions
from streaming.ingest.sync_scoring import VerdictWaiter, submit_and_wait

log = logging.getLogger("ingest")

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
    submissions: Submissions = field(default_factory=Submissions)

    def scoring_for(self, key: ApiKey) -> tuple[IngestChannel[Purchase], VerdictWaiter]:
        """Return the channel of a key's purchases, and the waiter for their verdicts."""
        if key.is_sandbox:
            return self.sandbox_purchases, self.sandbox_waiter
        return self.purchases, self.waiter


def _services(request: Request) -> IngestServices:
    services: IngestServices = request.app.state.services
    return services


Services = Annotated[IngestServices, Depends(_services)]
Strict = Annotated[
    bool, Query(alias="strict", description="Refuse fields that are not known, with 422.")
]


public_routes = APIRouter()
keyed_routes = APIRouter(prefix="/v1")


# On the event loop: with the broker away threads are scarce.
@public_routes.get("/health")
@public_routes.get("/healthz", include_in_schema=False)
async def health() -> dict[str, str]:
    """Report that ingest is running."""
    return {"status": "ok"}


@public_routes.get("/metrics", include_in_schema=False)
def metrics() -> Response:
    """Export the metrics for Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@keyed_routes.get("/status", dependencies=[Depends(require(None))])
def show_status(services: Services) -> dict[str, Any]:
    """Report cursor, lag and counts of accepted messages: purchases, and below them labels."""
    return asdict(services.purchases.status) | {"labels": asdict(services.labels.status)}


@keyed_routes.post("/transactions", status_code=202)
async def post_transactions(
    request: Request,
    services: Services,
    key: Annotated[ApiKey, Depends(within_quota(Scope.INGEST))],
    wait_seconds: Annotated[float, Query(ge=0, le=LONGEST_WAIT_SECONDS)] = 0,
    *,
    is_strict: Strict = False,
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

    An unusable optional field is cleaned or unknown, and its purchase is judged: ``warnings`` names
    it. ``ignored`` lists fields that are not known; with ``strict=1`` they are refused.

    With a sandbox key purchases are judged and never stored: the response has ``is_sandbox``.
    """
    read = await read_contents(request, purchase_of, is_strict=is_strict)
    purchases = [one.content for one in read]
    key.require_sources(one.source for one in purchases)
    channel, waiter = services.scoring_for(key)
    mark = ({"is_sandbox": True} if key.is_sandbox else {}) | listed_remarks(read)
    if not wait_seconds:
        result = await services.submissions.run(partial(channel.submit, purchases))
        body = {"accepted": result.accepted, "repeated": result.repeated}
        status = 202
    else:
        response = await submit_and_wait(
            purchases, channel, waiter, services.submissions, wait_seconds=wait_seconds
        )
        body = asdict(replace(response, deadline_ms=_deadline_ms(services.contracts, purchases)))
        status = 202 if response.pending else 200
    if not key.is_sandbox:
        count_remarks(read)
    return JSONResponse(body | mark, status)


def _deadline_ms(contracts: SourceContracts, purchases: Sequence[Purchase]) -> int | None:
    """Return the shortest deadline of the purchases' sources."""
    names = {purchase.source for purchase in purchases}
    return min((contracts.of(name).deadline_ms for name in names), default=None)


@keyed_routes.post("/labels", status_code=202)
async def post_labels(
    request: Request,
    services: Services,
    key: Annotated[ApiKey, Depends(within_quota(Scope.LABEL))],
    *,
    is_strict: Strict = False,
) -> JSONResponse:
    """Submit one label or a list of up to 1,000: what purchases turned out to be.

    A chargeback is ``fraud``, a withdrawn one is ``genuine``; the latest label counts. Name the
    purchase by its ``source`` and ``id``, and give in ``known_at_ms`` the time since when it is
    known, so that a repeated label changes nothing. 202 means that the broker has acknowledged all.
    """
    read = await read_contents(request, label_of, is_strict=is_strict)
    labels = [one.content for one in read]
    key.require_sources(one.source for one in labels)
    result = await services.submissions.run(partial(services.labels.submit, labels))
    count_remarks(read)
    body = {"accepted": result.accepted, "repeated": result.repeated}
    return JSONResponse(body | listed_remarks(read), 202)


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


def _disk_full(request: Request, error: Exception) -> JSONResponse:
    log.warning("%s", error)
    return ProblemResponse(
        request,
        503,
        str(error),
        kind="disk-full",
        title="Disk full",
        headers={"Retry-After": str(_RETRY_AFTER_SECONDS)},
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
    app.add_exception_handler(DiskFull, _disk_full)
    app.add_exception_handler(NotDelivered, _not_delivered)
    return app
