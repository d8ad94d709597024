"""The edge's one way out for personal fields: ``POST /v1/reveal``, with a key of its own.

Nothing of a request or an answer is ever logged.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.application.console.access import Forbidden
from fraudwatch.application.console.allowance import TooMany
from fraudwatch.application.console.casework import Erased
from fraudwatch.application.console.reveal import AlteredBox, RevealRequest, Reveals
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.observability.metrics import counter
from streaming.ingest.api import shows

log = logging.getLogger("ingest")

LARGEST_BODY_BYTES = 64 * 1024
_reveals = counter("fraudwatch_ingest_reveals")


@dataclass(frozen=True, slots=True)
class RevealDoor:
    """Opens boxes for whoever shows this key, which no shop has."""

    reveals: Reveals
    api_key: str


def _door(request: Request) -> RevealDoor:
    door: RevealDoor = request.app.state.reveal_door
    return door


_Door = Annotated[RevealDoor, Depends(_door)]


def _check_key(door: _Door, authorization: Annotated[str, Header()] = "") -> None:
    if not shows(authorization, door.api_key):
        raise HTTPException(401, "send the header 'Authorization: Bearer <REVEAL_API_KEY>'")


keyed = APIRouter(prefix="/v1", dependencies=[Depends(_check_key)])


@keyed.post("/reveal")
async def post_reveal(request: Request, door: _Door) -> JSONResponse:
    """Open the sealed fields of one purchase for one person, who says why.

    It is written to the audit log first; 503 means that the log did not acknowledge, and nothing
    was opened. 403: the role does not reveal. 404 with the code ``erased``: the customer was
    forgotten. 409: the box was altered or is another purchase's. 429: this person had 30 of them
    in the last hour, or all together 300; the count begins at nothing when ingest is started. A
    card's number is always masked.
    """
    if int(request.headers.get("content-length", LARGEST_BODY_BYTES + 1)) > LARGEST_BODY_BYTES:
        raise HTTPException(413, f"send at most {LARGEST_BODY_BYTES} bytes, with their length")
    return await run_in_threadpool(_answer, door, await request.body())


def _answer(door: RevealDoor, body: bytes) -> JSONResponse:
    try:
        personal = door.reveals.reveal(decode(RevealRequest, body))
    except Refused:  # answered like any other body that is refused
        _count("refused")
        raise
    except Forbidden as error:
        return _told(403, "forbidden", str(error))
    except TooMany as error:
        wait = {"Retry-After": str(error.again_in_seconds)}
        return _told(429, "limited", str(error), wait)
    except NotDelivered as error:
        log.warning("nothing revealed, because the audit log is away: %s", error)
        away = "the audit log does not acknowledge, so nothing was shown; try again"
        return _told(503, "unlogged", away)
    except Erased as error:
        return _told(404, "erased", str(error))
    except AlteredBox as error:
        return _told(409, "altered", str(error))
    _count("shown")
    return JSONResponse({"personal": dict(personal)}, headers={"Cache-Control": "no-store"})


def _told(
    status: int, code: str, detail: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    _count(code)
    return JSONResponse({"code": code, "detail": detail}, status, headers=headers)


def _count(outcome: str) -> None:
    _reveals.labels(outcome=outcome).inc()


def add_reveal(app: FastAPI, door: RevealDoor) -> None:
    """Give the edge's interface this door; its errors about bodies are answered there."""
    app.state.reveal_door = door
    app.include_router(keyed)
