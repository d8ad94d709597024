"""Notify customers by ``POST /v1/notify``, with an API key of its own.

Nothing of a request or a response is ever logged, and no response contains an address.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.http.body import read_capped
from fraudwatch.adapters.http.problem_json import ProblemResponse
from fraudwatch.application.console.casework import Erased
from fraudwatch.application.console.reveal import AlteredSealedFields
from fraudwatch.application.notifying.customer_notices import (
    AddressRefused,
    CustomerNotices,
    NoAddress,
    NoticeRequest,
    NoticeUncertain,
    NoticeUnsent,
)
from fraudwatch.application.notifying.notice_rate_limit import NoticesPaused, TooManyNotices
from fraudwatch.application.notifying.notice_texts import NoticeTexts
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.notifications.customer_notice import NoticeTemplate
from fraudwatch.observability.metrics import counter
from streaming.ingest.service_key import has_service_key

log = logging.getLogger("ingest")

LARGEST_BODY_BYTES = 64 * 1024
_notices = counter("fraudwatch_ingest_notices")
# Failures whose sentence is safe to return, with status and code.
_RESPONSES: Final = (
    (TooManyNotices, HTTPStatus.TOO_MANY_REQUESTS, "limited"),
    (NoticesPaused, HTTPStatus.SERVICE_UNAVAILABLE, "paused"),
    (NotDelivered, HTTPStatus.SERVICE_UNAVAILABLE, "unlogged"),
    (NoticeUnsent, HTTPStatus.SERVICE_UNAVAILABLE, "unsent"),
    (Erased, HTTPStatus.NOT_FOUND, "erased"),
    (NoAddress, HTTPStatus.NOT_FOUND, "no_address"),
    (AddressRefused, HTTPStatus.CONFLICT, "address_refused"),
    (AlteredSealedFields, HTTPStatus.CONFLICT, "altered"),
    (NoticeUncertain, HTTPStatus.BAD_GATEWAY, "uncertain"),
)
_FAILURES: Final = tuple(error for error, _, _ in _RESPONSES)


@dataclass(frozen=True, slots=True)
class NoticeChannel:
    """Notifies customers for callers with this API key, which only the notifier has."""

    notices: CustomerNotices
    api_key: str


def _channel(request: Request) -> NoticeChannel:
    channel: NoticeChannel = request.app.state.notice_channel
    return channel


_Channel = Annotated[NoticeChannel, Depends(_channel)]


def _check_key(channel: _Channel, authorization: Annotated[str, Header()] = "") -> None:
    if not has_service_key(authorization, channel.api_key):
        raise HTTPException(401, "send the header 'Authorization: Bearer <NOTIFY_API_KEY>'")


keyed_routes = APIRouter(prefix="/v1", dependencies=[Depends(_check_key)])


@keyed_routes.post("/notify")
async def post_notify(request: Request, channel: _Channel) -> JSONResponse:
    """Send one notice to the customer of a purchase, from a template.

    An audit record is published first. 200: ``mailed`` or ``texted``. 503 with the code
    ``unlogged``, ``unsent`` or ``paused``: nothing was sent, and the same call may be repeated.
    Any other response is final: 404 ``erased`` or ``no_address``, 409 ``altered`` or
    ``address_refused``, 429 ``limited`` (3 notices of this customer in the last hour), and 502
    ``uncertain``: it may have been sent.
    """
    body = await read_capped(request, LARGEST_BODY_BYTES)
    return await run_in_threadpool(_answer, request, channel, body)


def _answer(request: Request, channel: NoticeChannel, body: bytes) -> JSONResponse:
    try:
        state = channel.notices.notify(decode(NoticeRequest, body))
    except Refused:  # the exception handler answers, as for any refused body
        _count("refused")
        raise
    except _FAILURES as error:
        status, code = next((s, c) for kind, s, c in _RESPONSES if isinstance(error, kind))
        _count(code)
        if code in {"unlogged", "unsent", "uncertain"}:
            log.warning("a customer got no confirmed notice: %s", error)
        return ProblemResponse(request, status, str(error), kind=code, extensions={"code": code})
    _count(state)
    return JSONResponse({"state": state})


def _count(outcome: str) -> None:
    _notices.labels(outcome=outcome).inc()


def read_templates(folder: Path, language: str) -> NoticeTexts:
    """Read the templates of one language.

    Raises:
        ValueError: a file is missing or invalid; the message says which.
    """
    return NoticeTexts(*(_templates(folder / language, kind) for kind in ("mail", "sms")))


def _templates(folder: Path, kind: str) -> dict[NoticeTemplate, str]:
    paths = {name: folder / f"{name}.{kind}.txt" for name in NoticeTemplate}
    return {name: path.read_text("utf-8") for name, path in paths.items() if path.exists()}


def add_notify(app: FastAPI, channel: NoticeChannel) -> None:
    """Add the endpoint to ingest's API, whose handlers answer for refused bodies."""
    app.state.notice_channel = channel
    app.include_router(keyed_routes)
