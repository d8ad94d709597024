"""Streams of live alerts: order, resume, filters, and what happens to a slow client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import pytest
from sse_starlette import ServerSentEvent

from fraudwatch.adapters.memory.alert_log import MemoryAlertLog
from fraudwatch.application.alert_stream import (
    MAX_WAITING,
    AlertHub,
    InvalidPosition,
    LogPosition,
)
from fraudwatch.application.console.alerts import Alert, alert_of
from fraudwatch.samples import a_verdict
from rest_api import stream as rest_stream
from rest_api.stream import AlertStream
from tests.unit.rest_api.conftest import World

STREAM = "/v1/alerts/stream"
Result = TypeVar("Result")


def alert(number: int, source: str = "shop") -> Alert:
    return alert_of(a_verdict(transaction_id=f"{source}:{number}"))


class Live:
    """A log and the hub that follows it."""

    def __init__(self) -> None:
        self.log, self.hub = MemoryAlertLog(), AlertHub()
        self.hub.start(self.log.end)
        self.turns = 1
        self._opened: list[AsyncIterator[ServerSentEvent]] = []

    def publish(self, *numbers: int, approvals: int = 1) -> None:
        for number in numbers:
            entries = [self.log.append(number % 2, None) for _ in range(approvals)]
            entries.append(self.log.append(number % 2, alert(number)))
            self.hub.deliver(entries)

    def events(
        self,
        start: str | None = None,
        is_wanted: Callable[[Alert], bool] = lambda _: True,
        is_accepted: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator[ServerSentEvent]:
        position = None if start is None else LogPosition.parse(start)
        stream = AlertStream(self.hub, self.log, is_wanted, is_accepted)
        self._opened.append(stream.events(position, asyncio.Semaphore(self.turns)))
        return self._opened[-1]

    async def close(self) -> None:
        # A stream that the loop closes at its end could leave a thread behind.
        for events in self._opened:
            await events.aclose()  # type: ignore[attr-defined]  # a generator


def run(main: Callable[[Live], Awaitable[Result]]) -> Result:
    async def closing() -> Result:
        live = Live()
        try:
            return await main(live)
        finally:
            await live.close()

    return asyncio.run(closing())


def number_of(event: ServerSentEvent) -> int:
    return int(json.loads(event.data)["transaction_id"].split(":")[1])


async def received_from(
    events: AsyncIterator[ServerSentEvent], count: int
) -> list[ServerSentEvent]:
    """Take alerts, without the marks between them."""
    found: list[ServerSentEvent] = []
    while len(found) < count:
        event = await anext(events)
        if event.data is not None:
            found.append(event)
    return found


def test_a_stream_without_a_position_has_the_alerts_from_then_on() -> None:
    async def check(live: Live) -> None:
        live.publish(1, 2)
        events = live.events()
        first = await anext(events)
        assert (first.data, first.id) == (None, "0:2,1:2")
        live.publish(3, 4, 5)
        found = await received_from(events, 3)
        assert [number_of(one) for one in found] == [3, 4, 5]
        assert [one.id for one in found] == ["0:2,1:4", "0:4,1:4", "0:4,1:6"]

    run(check)


@pytest.mark.parametrize("received", range(12))
@pytest.mark.parametrize("near", [2_000, 5, 0])
def test_a_client_that_resumes_gets_each_alert_once_in_order(
    monkeypatch: pytest.MonkeyPatch, received: int, near: int
) -> None:
    monkeypatch.setattr(rest_stream, "_NEAR_MESSAGES", near)

    async def numbers_of(live: Live) -> list[int]:
        events = live.events()
        mark = await anext(events)
        live.publish(*range(6))
        live.publish(*range(6, 12), approvals=4)
        found = await received_from(events, received)
        last = found[-1].id if found else mark.id
        live.publish(*range(12, 20))
        resumed = live.events(last)
        found += await received_from(resumed, 5)
        live.publish(20, 21)
        found += await received_from(resumed, 17 - received)
        return [number_of(one) for one in found]

    numbers = run(numbers_of)
    assert sorted(numbers) == list(range(22))
    for partition in (0, 1):
        own = [number for number in numbers if number % 2 == partition]
        assert own == sorted(own)


def test_a_client_that_resumes_near_the_end_waits_for_no_turn() -> None:
    async def check(live: Live) -> None:
        live.turns = 0
        live.publish(1, 2)
        assert [number_of(one) for one in await received_from(live.events("0:0,1:0"), 2)] == [2, 1]

    run(check)


def test_only_wanted_alerts_are_sent_and_the_position_moves_on_all_the_same() -> None:
    async def check(live: Live) -> None:
        events = live.events(is_wanted=lambda one: one.transaction_id == "shop:7")
        await anext(events)
        live.publish(*range(9))
        assert [number_of(one) for one in await received_from(events, 1)] == [7]

    run(check)


def test_a_quiet_stream_has_heartbeats_with_the_position(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_stream, "HEARTBEAT_SECONDS", 0.01)

    async def check(live: Live) -> None:
        events = live.events()
        await anext(events)
        live.hub.deliver([live.log.append(0, None)])
        beat = await anext(events)
        assert (beat.data, beat.id, beat.comment) == (None, "0:1,1:0", "heartbeat")

    run(check)


def test_a_stream_ends_when_its_key_is_no_longer_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_stream, "HEARTBEAT_SECONDS", 0.01)

    async def check(live: Live) -> None:
        events = live.events(is_accepted=lambda: False)
        async with asyncio.timeout(5):
            marks = [event async for event in events]
        assert [event.data for event in marks] == [None, None]
        assert live.hub.subscribers == 0

    run(check)


def test_a_slow_client_is_cut_and_resumes_without_loss() -> None:
    async def check(live: Live) -> None:
        events = live.events()
        await anext(events)
        live.publish(0)
        (first,) = await received_from(events, 1)
        live.publish(*range(1, MAX_WAITING + 10), approvals=0)
        left = [event async for event in events]
        assert len(left) < MAX_WAITING
        assert live.hub.subscribers == 0
        resumed = await received_from(live.events(first.id), MAX_WAITING + 9)
        assert sorted(map(number_of, resumed)) == list(range(1, MAX_WAITING + 10))

    run(check)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must look like"),
        ("0", "must look like"),
        ("0:1;1:2", "must look like"),
        ("0:-1,1:2", "must look like"),
        ("0:1,0:2", "twice"),
        ("0:1", "other partitions"),
        ("0:1,2:0", "other partitions"),
        ("0:1,1:1", "after the end"),
    ],
)
def test_a_position_of_another_log_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidPosition, match=reason):
        LogPosition.parse(text).messages_until(LogPosition({0: 1, 1: 0}))


def refused(world: World, last_event_id: str) -> Any:
    return world.client().get(STREAM, headers={"Last-Event-ID": last_event_id})


def test_an_id_of_another_stream_is_refused_before_the_stream_begins(world: World) -> None:
    answer = refused(world, "0:1,1:999")
    assert answer.status_code == 422
    (problem,) = answer.json()["problems"]
    assert problem["field"] == "last-event-id"
    assert "after the end" in problem["reason"]
    assert "999" not in answer.text


def test_an_id_that_retention_has_passed_is_gone(world: World) -> None:
    world.log.append(0, None)
    world.hub.deliver([world.log.append(0, None)])
    world.log.starts[0] = 1
    answer = refused(world, "0:0,1:0")
    assert answer.status_code == 410
    assert answer.json()["type"].endswith("position-gone")


def test_without_a_broker_there_is_no_stream(world: World) -> None:
    world.hub._position = None
    answer = world.client().get(STREAM)
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("broker-unavailable")
    assert "Retry-After" in answer.headers


def test_more_streams_than_there_are_slots_for_are_refused(world: World) -> None:
    while not world.services.streams.locked():
        asyncio.run(world.services.streams.acquire())
    answer = world.client().get(STREAM)
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
