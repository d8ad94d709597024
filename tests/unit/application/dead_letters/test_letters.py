from __future__ import annotations

import hashlib
from typing import Any

import pytest

from fraudwatch.application.dead_letters.dlq import (
    INGEST_DOOR,
    INGEST_LABELS_DOOR,
    Door,
    DoorClosed,
    Letter,
    Replay,
    Result,
    State,
    Stays,
    newest_first,
)
from fraudwatch.domain.messages.dead_letter import KEPT_PAYLOAD_BYTES
from fraudwatch.samples import NOON_MS
from fraudwatch.topics import AUDIT_TOPIC, FRAUD_TOPIC, LABELS_TOPIC, TRANSACTION_TOPIC


def a_letter(payload: bytes = b"sound", **changes: Any) -> Letter:
    usual: dict[str, Any] = {
        "stage": "ingest",
        "origin": "feed:1",
        "code": "wrong_schema",
        "reason": "id is missing",
        "at_ms": NOON_MS,
        "payload_bytes": len(payload),
        "payload_sha256": hashlib.sha256(payload).hexdigest(),
        "partition": 0,
        "offset": 0,
    }
    return Letter(**(usual | changes))


class MemoryLetterbox:
    """Letters and what is sealed in them, by their offset."""

    def __init__(self, letters: list[Letter], payloads: dict[int, bytes] | None = None) -> None:
        self._letters, self._payloads = letters, payloads or {}

    def letters(self) -> list[Letter]:
        return self._letters

    def open(self, letter: Letter) -> bytes:
        return self._payloads.get(letter.offset, b"sound")


class MemoryDoor:
    """Lets in everything but what begins with ``bad``, unless it is closed."""

    def __init__(self) -> None:
        self.entered: list[bytes] = []
        self.knocks = 0
        self.is_closed = False

    def check(self, payload: bytes) -> None:
        if payload.startswith(b"bad"):
            raise Stays("id is missing")

    def enter(self, payload: bytes) -> None:
        self.knocks += 1
        if self.is_closed:
            raise DoorClosed("ingest does not answer")
        if payload.startswith(b"refused"):
            raise Stays("currency has no rate")
        self.entered.append(payload)


class Remembering:
    """What has entered, in a list."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    def __contains__(self, letter: Letter) -> bool:
        return letter in self.letters

    def add(self, letter: Letter) -> None:
        self.letters.append(letter)


@pytest.fixture
def doors() -> dict[str, MemoryDoor]:
    names = (INGEST_DOOR, INGEST_LABELS_DOOR, TRANSACTION_TOPIC, FRAUD_TOPIC)
    return {name: MemoryDoor() for name in names}


@pytest.fixture
def remembered() -> Remembering:
    return Remembering()


def run(
    doors: dict[str, MemoryDoor],
    remembered: Remembering,
    letters: list[Letter],
    payloads: dict[int, bytes] | None = None,
    *,
    is_trial: bool = False,
) -> list[Result]:
    ways: dict[str, Door] = dict(doors)
    box = MemoryLetterbox(letters, payloads)
    return list(Replay(box, ways, remembered, is_trial=is_trial).run(box.letters()))


def test_of_copies_the_last_one_is_listed_and_stages_are_kept_apart() -> None:
    origin = "transaction_topic-0-17"
    found = newest_first(
        [
            a_letter(stage="detector", origin=origin, at_ms=3, offset=0),
            a_letter(stage="persister", origin=origin, at_ms=2, offset=1),
            a_letter(stage="detector", origin=origin, at_ms=5, offset=2),
            a_letter(origin="feed:9", at_ms=4, offset=3),
        ]
    )
    assert [(letter.id, letter.offset) for letter in found] == [
        ("detector:transaction_topic-0-17", 2),
        ("ingest:feed:9", 3),
        ("persister:transaction_topic-0-17", 1),
    ]


def test_letters_of_one_moment_are_listed_in_the_order_of_the_topic() -> None:
    found = newest_first([a_letter(origin=f"feed:{n}", offset=n) for n in range(3)])
    assert [letter.offset for letter in found] == [2, 1, 0]


@pytest.mark.parametrize(
    ("stage", "origin", "door"),
    [
        ("ingest", "feed:90547", INGEST_DOOR),
        ("ingest", "feed:8221:4+1", INGEST_DOOR),
        ("ingest", "chargebacks:411", INGEST_LABELS_DOOR),
        ("ingest", "chargebacks:8221:4+1", INGEST_LABELS_DOOR),
        ("ingest", "transaction_topic-1-17", ""),
        ("detector", "transaction_topic-1-17", TRANSACTION_TOPIC),
        ("persister", "transaction_topic-1-17", TRANSACTION_TOPIC),
        ("persister", "fraud_topic-0-3", FRAUD_TOPIC),
        ("persister", "labels_topic-0-3", LABELS_TOPIC),
        ("persister", "audit_topic-0-3", AUDIT_TOPIC),
        ("detector", "fraud_topic-0-3", ""),
        ("persister", "dead_letter_topic-0-3", ""),
        ("persister", "__consumer_offsets-0-3", ""),
        ("persister", "garbage", ""),
        ("a_later_stage", "transaction_topic-1-17", ""),
    ],
)
def test_a_letter_enters_where_it_was_read_and_nowhere_else(
    stage: str, origin: str, door: str
) -> None:
    assert a_letter(stage=stage, origin=origin).door == door


def test_each_letter_enters_by_its_door_oldest_first_and_is_remembered(
    doors: dict[str, MemoryDoor], remembered: Remembering
) -> None:
    letters = [
        a_letter(b"2", origin="feed:2", at_ms=2, offset=2),
        a_letter(b"1", origin="feed:1", at_ms=1, offset=1),
        a_letter(b"3", stage="persister", origin="fraud_topic-0-3", at_ms=3, offset=3),
        a_letter(b"4", origin="chargebacks:1", at_ms=4, offset=4),
    ]
    results = run(doors, remembered, letters, {n: str(n).encode() for n in (1, 2, 3, 4)})
    assert [result.state for result in results] == [State.REPLAYED] * 4
    assert doors[INGEST_DOOR].entered == [b"1", b"2"]
    assert doors[FRAUD_TOPIC].entered == [b"3"]
    assert doors[INGEST_LABELS_DOOR].entered == [b"4"]
    assert [letter.offset for letter in remembered.letters] == [1, 2, 3, 4]


def test_what_two_readers_put_aside_enters_once_and_both_are_remembered(
    doors: dict[str, MemoryDoor], remembered: Remembering
) -> None:
    both = [a_letter(stage=s, origin="transaction_topic-0-1") for s in ("detector", "persister")]
    results = run(doors, remembered, both)
    assert [result.state for result in results] == [State.REPLAYED] * 2
    assert doors[TRANSACTION_TOPIC].entered == [b"sound"]
    assert len(remembered.letters) == 2


@pytest.mark.parametrize(
    ("letter", "payload", "why"),
    [
        (a_letter(b"bad"), b"bad", "id is missing"),
        (a_letter(b"refused"), b"refused", "currency has no rate"),
        (a_letter(payload_bytes=KEPT_PAYLOAD_BYTES + 1), b"sound", "only the first 65536"),
        (a_letter(), b"something else", "not the one that its headers describe"),
        (a_letter(stage="persister", origin="nowhere"), b"sound", "name no place"),
        (a_letter(code="too_late"), b"sound", "gone on by a month"),
    ],
)
def test_what_cannot_enter_stays_with_the_reason_and_stops_nothing(
    doors: dict[str, MemoryDoor],
    remembered: Remembering,
    letter: Letter,
    payload: bytes,
    why: str,
) -> None:
    later = a_letter(origin="feed:2", offset=1, at_ms=NOON_MS + 1)
    stays, enters = run(doors, remembered, [letter, later], {0: payload})
    assert (stays.state, enters.state) == (State.STAYS, State.REPLAYED)
    assert why in stays.detail
    assert remembered.letters == [later]
    assert doors[INGEST_DOOR].entered == [b"sound"]


def test_exactly_the_kept_size_is_whole() -> None:
    assert not a_letter(payload_bytes=KEPT_PAYLOAD_BYTES).is_cut
    assert a_letter(payload_bytes=KEPT_PAYLOAD_BYTES + 1).is_cut


def test_a_closed_door_is_knocked_at_once_and_the_others_stay_open(
    doors: dict[str, MemoryDoor], remembered: Remembering
) -> None:
    doors[INGEST_DOOR].is_closed = True
    letters = [a_letter(origin=f"feed:{n}", offset=n) for n in range(3)]
    letters.append(a_letter(stage="persister", origin="fraud_topic-0-1", offset=3))
    results = run(doors, remembered, letters)
    assert [r.state for r in results] == [State.STAYS] * 3 + [State.REPLAYED]
    assert {r.detail for r in results[:3]} == {"ingest does not answer"}
    assert doors[INGEST_DOOR].knocks == 1


def test_a_trial_opens_and_checks_but_sends_and_remembers_nothing(
    doors: dict[str, MemoryDoor], remembered: Remembering
) -> None:
    letters = [a_letter(), a_letter(b"bad", origin="feed:2", offset=1)]
    results = run(doors, remembered, letters, {1: b"bad"}, is_trial=True)
    assert [r.state for r in results] == [State.WOULD_ENTER, State.STAYS]
    assert doors[INGEST_DOOR].knocks == 0
    assert remembered.letters == []


HEADERS = {
    "fraudwatch.code": "not_json",
    "fraudwatch.stage": "detector",
    "fraudwatch.origin": "transaction_topic-0-17",
    "fraudwatch.reason": "message is no JSON object",
    "fraudwatch.payload_sha256": "0" * 64,
    "fraudwatch.payload_bytes": "7",
    "fraudwatch.at_ms": "1768478400000",
}


def test_a_letter_is_told_by_its_headers() -> None:
    letter = Letter.told_by(HEADERS | {"other": "x"}, 0, 5)
    assert letter is not None
    assert letter.id == "detector:transaction_topic-0-17"
    assert (letter.code, letter.at_ms, letter.payload_bytes) == ("not_json", NOON_MS, 7)
    assert (letter.partition, letter.offset) == (0, 5)


@pytest.mark.parametrize("missing", HEADERS)
def test_without_one_of_its_headers_it_is_no_letter(missing: str) -> None:
    assert Letter.told_by({k: v for k, v in HEADERS.items() if k != missing}, 0, 5) is None


@pytest.mark.parametrize("number", ["fraudwatch.at_ms", "fraudwatch.payload_bytes"])
def test_a_number_that_is_none_makes_no_letter(number: str) -> None:
    assert Letter.told_by(HEADERS | {number: "soon"}, 0, 5) is None
