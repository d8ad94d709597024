"""Stream live alerts as server-sent events that resume exactly where a client stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Annotated, Final

from anyio import CancelScope
from fastapi import APIRouter, Header, HTTPException, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from fraudwatch.adapters.api_keys.key_file import KeysUnavailable
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.http.key_check import KeyCheck
from fraudwatch.application.alert_search import is_of_sources
from fraudwatch.application.alert_stream import (
    AlertHistory,
    AlertHub,
    InvalidPosition,
    LiveAlert,
    LogPosition,
)
from fraudwatch.application.console.alerts import ALERT_RISKS, Alert
from fraudwatch.domain.api_keys import ApiKey, KeyRefused
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Problem
from fraudwatch.domain.messages.verdict import Risk
from fraudwatch.observability.metrics import counter, gauge
from rest_api.examples import STREAM
from rest_api.services import Reader, RestApiServices, Services

HEARTBEAT_SECONDS: Final = 15.0
# A client that reads nothing for so long is cut.
SEND_SECONDS: Final = 20.0
RECONNECT_MS: Final = 2_000
# While a client catches up on fewer messages than this, live alerts wait for it.
_NEAR_MESSAGES: Final = 2_000
_RETRY_AFTER: Final = {"Retry-After": "10"}
_LONGEST_POSITION: Final = 200

_streams = gauge("fraudwatch_rest_api_streams")
_streamed = counter("fraudwatch_rest_api_streamed_alerts")
_cut = counter("fraudwatch_rest_api_cut_streams")

routes = APIRouter(prefix="/v1", tags=["alerts"])


@routes.get(
    "/alerts/stream",
    response_class=EventSourceResponse,
    responses={200: {"content": {"text/event-stream": {"example": STREAM}}}},
)
async def stream_alerts(
    request: Request,
    services: Services,
    key: Reader,
    risk: Annotated[
        tuple[Risk, ...],
        Query(description="Of one of these risk levels", min_length=1, max_length=4),
    ] = ALERT_RISKS,
    last_event_id: Annotated[
        str | None,
        Header(description="Id of the last event received", max_length=_LONGEST_POSITION),
    ] = None,
) -> EventSourceResponse:
    """Stream alerts as server-sent events, a moment after they are decided.

    Each event `alert` has an alert of the list as its data, and as its id the position in the log
    after it. Reconnect with the last id in `Last-Event-ID`, as browsers do: everything after it
    follows, in order for each customer, for as long as the log keeps it (35 days). After longer,
    410: list the alerts of that time and connect without an id. Every 15 seconds without an alert a
    comment comes, with an id. A client that does not keep up is cut and resumes in the same way.
    """
    start = await _start_of(services, last_event_id)
    wanted = frozenset(risk)

    def is_wanted(alert: Alert) -> bool:
        return alert.risk in wanted and is_of_sources(alert.transaction_id, key.sources)

    stream = AlertStream(services.hub, services.history, is_wanted, _recheck(request, key))
    return EventSourceResponse(
        _counted(stream.events(start, services.catch_ups), services.streams),
        ping=0,  # the stream has heartbeats of its own
        send_timeout=SEND_SECONDS,
        sep="\n",
    )


async def _start_of(services: RestApiServices, last_event_id: str | None) -> LogPosition | None:
    """Return where a stream begins, once it is known that it can begin there."""
    if services.streams.locked():
        raise HTTPException(503, "as many streams as this service has are in use", _RETRY_AFTER)
    end = services.hub.position
    if last_event_id is None:
        return None
    try:
        start = LogPosition.parse(last_event_id)
        is_turn_needed = is_far(start, end)
    except InvalidPosition as error:
        named = Problem("last-event-id", f"is no id of this stream: {error}")
        raise Refused(Code.OUT_OF_BOUNDS, [named]) from error
    if is_turn_needed and services.catch_ups.locked():
        raise HTTPException(503, "other clients are catching up now", _RETRY_AFTER)
    await run_in_threadpool(services.history.require_stored, start)
    return start


def _recheck(request: Request, key: ApiKey) -> Callable[[], bool]:
    """Return a check whether the key of an open stream is still accepted as it was."""
    check: KeyCheck = request.app.state.key_check
    presented = request.headers["authorization"].partition(" ")[2].strip()

    def is_accepted() -> bool:
        try:
            return check.keys.authenticate(presented, check.now_ms()) == key
        except (KeyRefused, KeysUnavailable):
            return False

    return is_accepted


async def _counted(
    events: AsyncGenerator[ServerSentEvent, None], streams: asyncio.Semaphore
) -> AsyncIterator[ServerSentEvent]:
    async with streams:
        with _streams.track_inprogress():
            async with aclosing(events) as found:
                async for event in found:
                    yield event


class AlertStream:
    """One client's stream: what is past is read from the log, then it follows the hub."""

    def __init__(
        self,
        hub: AlertHub,
        history: AlertHistory,
        is_wanted: Callable[[Alert], bool],
        is_accepted: Callable[[], bool],
    ) -> None:
        self._hub, self._history = hub, history
        self._is_wanted, self._is_accepted = is_wanted, is_accepted

    async def events(
        self, start: LogPosition | None, catch_ups: asyncio.Semaphore
    ) -> AsyncGenerator[ServerSentEvent, None]:
        """Yield events after a position, or from now on; ends when the client must reconnect."""
        position = start
        if position is not None and is_far(position, self._hub.position):
            async with catch_ups:
                while is_far(position, end := self._hub.position):
                    async with aclosing(self._past(position, end)) as past:
                        async for event in past:
                            yield event
                    position = end
        with self._hub.subscribed(self._is_wanted) as live:
            if position is not None:
                async with aclosing(self._past(position, live.position)) as past:
                    async for event in past:
                        yield event
            yield _mark(live.position)
            checked_at = time.monotonic()
            while not live.is_cut:
                found = await live.next_alert(HEARTBEAT_SECONDS)
                if found is not None:
                    yield _event(found)
                else:
                    # Nothing waits, so everything before the hub's position was sent.
                    yield _mark(self._hub.position)
                if time.monotonic() - checked_at >= HEARTBEAT_SECONDS:
                    if not self._is_accepted():
                        return
                    checked_at = time.monotonic()
        _cut.inc()

    async def _past(
        self, start: LogPosition, end: LogPosition
    ) -> AsyncGenerator[ServerSentEvent, None]:
        if not start.messages_until(end):
            return
        chunks = self._history.between(start, end)
        try:
            position = start
            while entries := await run_in_threadpool(next, chunks, None):
                for entry in entries:
                    position = position.after(entry.partition, entry.offset)
                    if entry.alert is not None and self._is_wanted(entry.alert):
                        yield _event(LiveAlert(entry.alert, position))
                yield _mark(position)
        finally:
            # Also for a client that has gone: its consumer must not be closed on the event loop.
            with CancelScope(shield=True):
                await run_in_threadpool(chunks.close)


def is_far(start: LogPosition, end: LogPosition) -> bool:
    """Return whether so much is between them that live alerts would wait too long for it."""
    return start.messages_until(end) > _NEAR_MESSAGES


def _event(live: LiveAlert) -> ServerSentEvent:
    _streamed.inc()
    return ServerSentEvent(
        encode(live.alert).decode(), event="alert", id=str(live.position), sep="\n"
    )


def _mark(position: LogPosition) -> ServerSentEvent:
    """Return an event without data: a heartbeat that moves the client's position on."""
    return ServerSentEvent(id=str(position), retry=RECONNECT_MS, comment="heartbeat", sep="\n")
