"""Dead letters again: find them, and let them in once more where they were put aside.

Entering twice does no harm: purchases, transactions and verdicts keep their ids, and a label that
says since when it is known is the same label again. Nothing is taken off the topic; its retention
does that.
"""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fraudwatch.application.intake.intake import CHARGEBACK_FEED, PURCHASE_FEED
from fraudwatch.domain.messages.dead_letter import KEPT_PAYLOAD_BYTES, Code, Stage
from fraudwatch.topics import AUDIT_TOPIC, FRAUD_TOPIC, LABELS_TOPIC, TRANSACTION_TOPIC

INGEST_DOOR, INGEST_LABELS_DOOR = "ingest", "ingest's labels"
_INGEST_DOORS = {PURCHASE_FEED: INGEST_DOOR, CHARGEBACK_FEED: INGEST_LABELS_DOOR}
_HEADER_PREFIX = "fraudwatch."
# What each reader may have read, so that a forged origin leads to no other topic.
_TOPICS: dict[str, frozenset[str]] = {
    Stage.DETECTOR: frozenset({TRANSACTION_TOPIC}),
    Stage.PERSISTER: frozenset({TRANSACTION_TOPIC, FRAUD_TOPIC, LABELS_TOPIC, AUDIT_TOPIC}),
}
_TOPIC_ORIGIN = re.compile(r"(?P<topic>.+)-\d+-\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a letter's headers tell and where it stands; its payload stays sealed on the topic.

    Code and stage are texts: a letter of another version is shown as it is.
    """

    stage: str
    origin: str
    code: str
    reason: str
    at_ms: int
    payload_bytes: int
    payload_sha256: str
    partition: int
    offset: int

    @classmethod
    def told_by(cls, headers: Mapping[str, str], partition: int, offset: int) -> Letter | None:
        """The letter of a message at this place, or None where its headers tell of none."""
        told = {name.removeprefix(_HEADER_PREFIX): text for name, text in headers.items()}
        try:
            return cls(
                **{name: told[name] for name in ("stage", "origin", "code", "reason")},
                at_ms=int(told["at_ms"]),
                payload_bytes=int(told["payload_bytes"]),
                payload_sha256=told["payload_sha256"],
                partition=partition,
                offset=offset,
            )
        except (KeyError, ValueError):
            return None

    @property
    def id(self) -> str:
        """Two readers of one message put it aside under one origin, each for its own stage."""
        return f"{self.stage}:{self.origin}"

    @property
    def is_cut(self) -> bool:
        """Whether only the payload's beginning was kept."""
        return self.payload_bytes > KEPT_PAYLOAD_BYTES

    @property
    def door(self) -> str:
        """Where it enters again: ingest, or the topic it was read from; '' where unknown."""
        if self.stage == Stage.INGEST:
            return _INGEST_DOORS.get(self.origin.partition(":")[0], "")
        found = _TOPIC_ORIGIN.fullmatch(self.origin)
        topic = found["topic"] if found else ""
        return topic if topic in _TOPICS.get(self.stage, frozenset()) else ""


class Unreachable(Exception):
    """The letters cannot be read now; the sentence says why and what helps."""


class Stays(Exception):
    """This letter cannot enter; the sentence says why."""


class DoorClosed(Exception):
    """Nothing enters by this door now; whatever waits for it stays, and may be tried later."""


class Letterbox(Protocol):
    """All letters, and the key to them."""

    def letters(self) -> Iterable[Letter]:
        """Every letter, copies included, in the order of the topic. Raises Unreachable."""

    def open(self, letter: Letter) -> bytes:
        """The payload, as far as it was kept. Raises Stays or Unreachable."""


class Door(Protocol):
    """A way back in."""

    def check(self, payload: bytes) -> None:
        """Raise Stays where the payload would only be put aside again; sends nothing."""

    def enter(self, payload: bytes) -> None:
        """Return when it is acknowledged. Raises Stays or DoorClosed."""


class Replayed(Protocol):
    """What has entered again, remembered durably."""

    def __contains__(self, letter: Letter) -> bool: ...

    def add(self, letter: Letter) -> None:
        """Return when it is durable."""


def newest_first(letters: Iterable[Letter]) -> list[Letter]:
    """The letters, one an id: of copies the one that was written last."""
    one_each = {letter.id: letter for letter in letters}
    return sorted(one_each.values(), key=lambda x: (x.at_ms, x.partition, x.offset), reverse=True)


class State(enum.StrEnum):
    """What became of a letter."""

    REPLAYED = "replayed"
    WOULD_ENTER = "would_enter"
    STAYS = "stays"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one letter, and where it went or why it stays."""

    letter: Letter
    state: State
    detail: str


@dataclass(slots=True)
class Replay:
    """One run over chosen letters; with ``is_trial`` everything but the entering itself."""

    box: Letterbox
    doors: Mapping[str, Door]
    replayed: Replayed
    is_trial: bool = False
    _closed: dict[str, DoorClosed] = field(default_factory=dict)
    _entered: set[tuple[str, str]] = field(default_factory=set)

    def run(self, letters: Iterable[Letter]) -> Iterator[Result]:
        """Oldest first, because a customer's purchases are folded in the order they come."""
        for letter in reversed(newest_first(letters)):
            try:
                yield self._enter(letter)
            except (Stays, DoorClosed) as why:
                yield Result(letter, State.STAYS, str(why))

    def _enter(self, letter: Letter) -> Result:
        door = self.doors.get(letter.door)
        if door is None:
            raise Stays("its stage and origin name no place where it could enter")
        if letter.code == Code.TOO_LATE:
            raise Stays("its customer has gone on by a month and only goes on further")
        payload = whole_payload(self.box, letter)
        door.check(payload)
        if self.is_trial:
            return Result(letter, State.WOULD_ENTER, letter.door)
        # One message that two readers put aside enters once, and both read it.
        if (letter.door, letter.origin) not in self._entered:
            self._pass(letter, door, payload)
        self.replayed.add(letter)
        return Result(letter, State.REPLAYED, letter.door)

    def _pass(self, letter: Letter, door: Door, payload: bytes) -> None:
        if closed := self._closed.get(letter.door):
            raise closed
        try:
            door.enter(payload)
        except DoorClosed as why:
            self._closed[letter.door] = why
            raise
        if letter.stage != Stage.INGEST:
            self._entered.add((letter.door, letter.origin))


def whole_payload(box: Letterbox, letter: Letter) -> bytes:
    """The payload as it was when it was put aside.

    Raises:
        Stays: it was cut, or is not what the headers say.
    """
    if letter.is_cut:
        raise Stays(
            f"of its {letter.payload_bytes} bytes only the first {KEPT_PAYLOAD_BYTES} were kept, "
            "so it cannot enter again; send it anew from where it came"
        )
    payload = box.open(letter)
    if hashlib.sha256(payload).hexdigest() != letter.payload_sha256:
        raise Stays("its payload is not the one that its headers describe")
    return payload
