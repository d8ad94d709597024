"""Take refunds of accepted purchases by ``POST /v1/refunds``."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from fraudwatch.adapters.codecs.submitted import refund_of
from fraudwatch.domain.api_keys import ApiKey, SandboxForbids, Scope
from fraudwatch.domain.messages.refund import ReportedRefund
from streaming.ingest.api import Services, Strict
from streaming.ingest.channel import IngestChannel
from streaming.ingest.contents import read_contents
from streaming.ingest.quota import within_quota
from streaming.ingest.remarks import count_remarks, listed_remarks


def _channel(request: Request) -> IngestChannel[ReportedRefund]:
    channel: IngestChannel[ReportedRefund] = request.app.state.refund_channel
    return channel


_Channel = Annotated[IngestChannel[ReportedRefund], Depends(_channel)]
keyed_routes = APIRouter(prefix="/v1")


@keyed_routes.post("/refunds", status_code=202)
async def post_refunds(
    request: Request,
    channel: _Channel,
    services: Services,
    key: Annotated[ApiKey, Depends(within_quota(Scope.INGEST))],
    *,
    is_strict: Strict = False,
) -> JSONResponse:
    """Submit one refund or a list of up to 1,000: all are accepted, or none, with reasons.

    A refund names its purchase by ``source``, ``purchase_id``, ``customer_id`` and
    ``purchased_at_ms``, the purchase's ``event_at_ms``. It reduces the customer's spend in the
    windows that still have that time, and gets no verdict. Send it after its purchase. A refund in
    parts is several, each with an ``id`` of its own; a repeated one changes nothing. 202 means that
    the broker has acknowledged all.
    """
    read = await read_contents(request, refund_of, is_strict=is_strict)
    refunds = [one.content for one in read]
    if key.is_sandbox:
        raise SandboxForbids
    key.require_sources(one.source for one in refunds)
    result = await services.submissions.run(partial(channel.submit, refunds))
    count_remarks(read)
    body = {"accepted": result.accepted, "repeated": result.repeated}
    return JSONResponse(body | listed_remarks(read), 202)


def add_refunds(app: FastAPI, channel: IngestChannel[ReportedRefund]) -> None:
    """Add the endpoint to ingest's API, whose handlers answer for refused bodies."""
    app.state.refund_channel = channel
    app.include_router(keyed_routes)
