"""Reveal sealed fields by ``POST /v1/reveal``, with an API key of its own.

Nothing of a request or a response is ever logged.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.http.body import read_capped
from fraudwatch.adapters.http.problem_json import ProblemResponse
from fraudwatch.application.console.access import Forbidden
from fraudwatch.application.console.allowance import TooManyReveals
from fraudwatch.application.console.casework import Erased
from fraudwatch.application.console.reveal import AlteredSealedFields, RevealRequest, Reveals
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.observability.metrics import counter
from streaming.ingest.service_key import has_service_key

log = logging.getLogger("ingest")

LARGEST_BODY_BYTES = 64 * 1024
_reveals = counter("fraudwatch_ingest_reveals")


@dataclass(frozen=True, slots=True)
class RevealChannel:
    """Opens sealed fields for callers with this API key, which no source has."""

    reveals: Reveals
    api_key: str


def _channel(request: Request) -> RevealChannel:
    channel: RevealChannel = request.app.state.reveal_channel
    return channel


_Channel = Annotated[RevealChannel, Depends(_channel)]


def _check_key(channel: _Channel, authorization: Annotated[str, Header()] = "") -> None:
    if not has_service_key(authorization, channel.api_key):
        raise HTTPException(401, "send the header 'Authorization: Bearer <REVEAL_API_KEY>'")


keyed_routes = APIRouter(prefix="/v1", dependencies=[Depends(_check_key)])


@keyed_routes.post("/reveal")
async def post_reveal(request: Request, channel: _Channel) -> JSONResponse:
    """Reveal the sealed fields of one purchase to one person, who gives a reason.

    An audit record is published first; 503 means that the broker did not acknowledge it, and
    nothing was opened. 403: the role may not reveal. 404 with the code ``erased``: the customer was
    erased. 409: the sealed fields were altered or are of another purchase. 429: 30 reveals of this
    person in the last hour, or 300 of all; the counts start at zero when ingest starts. A card
    number is always masked.
    """
    body = await read_capped(request, LARGEST_BODY_BYTES)
    return await run_in_threadpool(_answer, request, channel, body)


def _answer(request: Request, channel: RevealChannel, body: bytes) -> JSONResponse:
    try:
        personal = channel.reveals.reveal(decode(RevealRequest, body))
    except Refused:  # the exception handler answers, as for any refused body
        _count("refused")
        raise
    except Forbidden as error:
        return _error_response(request, 403, "forbidden", str(error))
    except TooManyReveals as error:
        wait = {"Retry-After": str(error.retry_after_seconds)}
        return _error_response(request, 429, "limited", str(error), wait)
    except NotDelivered as error:
        log.warning("nothing was revealed, because the audit log is unavailable: %s", error)
        detail = "the audit log does not acknowledge, so nothing was shown; try again"
        return _error_response(request, 503, "unlogged", detail)
    except Erased as error:
        return _error_response(request, 404, "erased", str(error))
    except AlteredSealedFields as error:
        return _error_response(request, 409, "altered", str(error))
    _count("shown")
    return JSONResponse({"personal": dict(personal)}, headers={"Cache-Control": "no-store"})


def _error_response(
    request: Request, status: int, code: str, detail: str, headers: dict[str, str] | None = None
) -> ProblemResponse:
    _count(code)
    return ProblemResponse(
        request, status, detail, kind=code, headers=headers, extensions={"code": code}
    )


def _count(outcome: str) -> None:
    _reveals.labels(outcome=outcome).inc()


def add_reveal(app: FastAPI, channel: RevealChannel) -> None:
    """Add the reveal endpoint to ingest's API, whose handlers answer for refused bodies."""
    app.state.reveal_channel = channel
    app.include_router(keyed_routes)
