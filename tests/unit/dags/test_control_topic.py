from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.orchestration.control_topic import DayClosedTrigger, closed_day
from fraudwatch.orchestration.light_tasks import event_days

GOOD = {"schema": "control.v1", "kind": "day_closed", "day": "2026-11-20"}


def encoded(message: object) -> bytes:
    return json.dumps(message).encode()


def test_a_closed_day_is_read() -> None:
    assert closed_day(encoded(GOOD)) == "2026-11-20"


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\xff\xfe",
        b"nonsense",
        b"[" * 100_000,
        encoded([]),
        encoded("2026-11-20"),
        encoded(GOOD | {"schema": "control.v2"}),
        encoded(GOOD | {"kind": "day_opened"}),
        encoded(GOOD | {"day": "2026-02-30"}),
        encoded(GOOD | {"day": 20261120}),
        encoded({"schema": "control.v1", "kind": "day_closed"}),
    ],
)
def test_any_other_message_gives_none_and_never_raises(value: bytes | None) -> None:
    assert closed_day(value) is None


@given(st.binary(max_size=200) | st.recursive(st.none() | st.text(), st.lists).map(encoded))
def test_no_bytes_raise(value: bytes) -> None:
    assert closed_day(value) is None


def test_the_trigger_yields_days_and_skips_other_messages() -> None:
    async def messages() -> AsyncIterator[bytes]:
        for value in (b"broken", encoded(GOOD), b"", encoded(GOOD | {"day": "2026-11-21"})):
            yield value

    async def fired() -> list[object]:
        trigger = DayClosedTrigger(topics=["control_topic"], kafka_config_id="control_topic")
        return [event.payload async for event in trigger.filter_shared_stream(messages())]

    assert asyncio.run(fired()) == [{"day": "2026-11-20"}, {"day": "2026-11-21"}]


def test_the_triggerer_finds_the_class_again() -> None:
    trigger = DayClosedTrigger(topics=["control_topic"], kafka_config_id="control_topic")
    path, arguments = trigger.serialize()
    module, _, name = path.rpartition(".")
    again = getattr(import_module(module), name)(**arguments)
    assert isinstance(again, DayClosedTrigger)
    assert again.serialize() == (path, arguments)
    assert again.shared_stream_key() == trigger.shared_stream_key()


def test_days_are_read_from_a_watchers_event_and_from_a_dags_own() -> None:
    watched = {"from_trigger": True, "payload": {"day": "2026-11-20"}}
    announced = {"days": ["2026-11-18", "2026-11-20"]}
    assert event_days([watched, announced, {}, {"payload": "odd"}]) == ("2026-11-18", "2026-11-20")
