"""The operator's side of the dead letters: read, open, send again, remember what was sent."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from tink import TinkError

from fraudwatch.adapters.ingest_api import IngestApi
from fraudwatch.adapters.json_codec import decode
from fraudwatch.adapters.kafka_log import KafkaTopic, client_config, read_range
from fraudwatch.adapters.keysets import dead_letter_opener, write_durably
from fraudwatch.application.dead_letters import (
    INGEST_DOOR,
    Door,
    DoorClosed,
    Letter,
    Stays,
    Unreachable,
)
from fraudwatch.application.ports import NotDelivered
from fraudwatch.application.replay import ports as replay
from fraudwatch.domain.dead_letter import Refused
from fraudwatch.domain.fields import problems
from fraudwatch.domain.label import Label
from fraudwatch.domain.purchase import Purchase
from fraudwatch.domain.transaction import Transaction
from fraudwatch.domain.verdict import Verdict
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import (
    DEAD_LETTER_TOPIC,
    FRAUD_TOPIC,
    LABELS_TOPIC,
    PRODUCED_AT_HEADER,
    TRANSACTION_TOPIC,
)

M = TypeVar("M")
_MESSAGES: dict[str, type[Any]] = {
    TRANSACTION_TOPIC: Transaction,
    FRAUD_TOPIC: Verdict,
    LABELS_TOPIC: Label,
}
_ANSWER_SECONDS = 10.0
# A letter is up to 64 KiB; so many of them at once are little memory.
_LETTERS_AT_ONCE = 200


class KafkaLetterbox:
    """The letters on their topic, read beside everybody; nothing is committed."""

    def __init__(self, settings: KafkaSettings, private_key: Path) -> None:
        self._settings = settings
        self._private_key = private_key
        self._opener: Any = None
        self.unreadable = 0
        self._consumer = Consumer(
            client_config(settings)
            | {
                "group.id": "dead-letters",  # asked for by the client; assigned by hand
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "log_level": 0,  # what is wrong is said in our own words
            }
        )

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def letters(self) -> list[Letter]:
        """See :class:`~fraudwatch.application.dead_letters.Letterbox`.

        What carries no letter's headers is left out and counted in ``unreadable``.
        """
        found: list[Letter | None] = []
        try:
            for messages in read_range(
                self._settings, DEAD_LETTER_TOPIC, self._ends(), at_once=_LETTERS_AT_ONCE
            ):
                found += [letter_of(message) for message in messages]
        except (KafkaException, ConnectionError, TimeoutError) as error:
            raise self._unreachable(error) from error
        self.unreadable = found.count(None)
        return [letter for letter in found if letter is not None]

    def _ends(self) -> dict[int, int]:
        known = self._consumer.list_topics(DEAD_LETTER_TOPIC, timeout=_ANSWER_SECONDS)
        topic = known.topics[DEAD_LETTER_TOPIC]
        if topic.error is not None:
            raise ConnectionError(topic.error.str())
        places = [TopicPartition(DEAD_LETTER_TOPIC, number) for number in topic.partitions]
        marks = self._consumer.get_watermark_offsets
        return {place.partition: marks(place, timeout=_ANSWER_SECONDS)[1] for place in places}

    def open(self, letter: Letter) -> bytes:
        """See :class:`~fraudwatch.application.dead_letters.Letterbox`."""
        sealed = self._sealed(letter)
        try:
            self._opener = self._opener or dead_letter_opener(self._private_key)
        except (OSError, TinkError) as error:
            raise Unreachable(
                f"the private half of the dead letters' key, {self._private_key}, cannot be used "
                f"({type(error).__name__}), so no payload can be opened; restore it from the backup"
            ) from error
        try:
            return bytes(self._opener.decrypt(sealed, letter.origin.encode()))
        except TinkError as error:
            raise Stays(
                "its payload does not open: it was sealed to another key or altered; the headers "
                "are all there is"
            ) from error

    def _sealed(self, letter: Letter) -> bytes:
        place = TopicPartition(DEAD_LETTER_TOPIC, letter.partition, letter.offset)
        self._consumer.assign([place])
        message = self._consumer.poll(_ANSWER_SECONDS)
        if message is None:
            raise self._unreachable("no answer")
        if message.error() is not None or message.offset() != letter.offset:
            raise Stays("it is no longer on the topic: retention has removed it")
        return message.value() or b""

    def _unreachable(self, cause: object) -> Unreachable:
        return Unreachable(
            f"{DEAD_LETTER_TOPIC} at {self._settings.bootstrap_servers} cannot be read ({cause}), "
            "so nothing was done; see whether kafka runs with ./fraudwatch status"
        )


def letter_of(message: Message) -> Letter | None:
    """The letter that a message's headers describe, or None where they describe none."""
    told = {name: _text(value) for name, value in dict(message.headers() or []).items()}
    return Letter.told_by(told, message.partition() or 0, message.offset() or 0)


def _text(value: str | bytes | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""


class CheckedDoor:
    """Lets in what its readers will take; the rest would only be put aside again."""

    def __init__(self, message: type[M], send: Callable[[M, bytes], None]) -> None:
        self._message, self._send = message, send

    def check(self, payload: bytes) -> None:
        """See :class:`~fraudwatch.application.dead_letters.Door`."""
        _sound(self._message, payload)

    def enter(self, payload: bytes) -> None:
        """See :class:`~fraudwatch.application.dead_letters.Door`."""
        self._send(_sound(self._message, payload), payload)


def _sound(message: type[M], payload: bytes) -> M:
    try:
        found = decode(message, payload)
    except Refused as why:
        raise Stays(why.reason) from why
    if broken := problems(found):
        raise Stays("; ".join(f"{p.field} {p.reason}" for p in broken))
    return found


def doors(settings: KafkaSettings, ingest: IngestApi) -> dict[str, Door]:
    """Every way back in, by the name that a letter gives it."""
    ways: dict[str, Door] = {
        topic: CheckedDoor(message, partial(_produce, settings, topic))
        for topic, message in _MESSAGES.items()
    }
    # One purchase as it is, so that no letter passes as a list of them.
    return ways | {INGEST_DOOR: CheckedDoor(Purchase, lambda _, payload: _post(ingest, payload))}


def _post(ingest: IngestApi, payload: bytes) -> None:
    try:
        ingest.send([payload])
    except replay.Refused as why:
        raise Stays("; ".join(f"{o.field} {o.reason}" for o in why.objections)) from why
    except replay.TooLarge as why:
        raise Stays("it is too large for ingest") from why
    except (replay.NotNow, replay.ReplayFailed) as why:
        raise DoorClosed(str(why)) from why


def _produce(
    settings: KafkaSettings, topic: str, sound: Transaction | Verdict | Label, payload: bytes
) -> None:
    key = sound.transaction_id if isinstance(sound, Label) else sound.customer_token
    now = str(time.time_ns() // 1_000_000).encode()
    # When the edge produced a verdict's transaction is not in the letter: unknown stays absent.
    headers = {} if isinstance(sound, Verdict) else {PRODUCED_AT_HEADER: now}
    try:
        _producer(settings, topic).send([(key, payload, headers)])
    except NotDelivered as error:
        raise DoorClosed(
            f"{topic} did not acknowledge it; see whether kafka runs with ./fraudwatch status, "
            "then give the same command again"
        ) from error


@cache
def _producer(settings: KafkaSettings, topic: str) -> KafkaTopic:
    return KafkaTopic(settings, topic)


class ReplayedFile:
    """What has entered again, one JSON object a line; a line cut short by a crash is ignored."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_bytes().splitlines() if path.exists() else []
        self._known = {known for line in lines if (known := _remembered(line))}

    def __contains__(self, letter: Letter) -> bool:
        return (letter.id, letter.payload_sha256) in self._known

    def add(self, letter: Letter) -> None:
        """See :class:`~fraudwatch.application.dead_letters.Replayed`."""
        if not self._path.exists():
            write_durably(self._path, "")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        entry = {"id": letter.id, "payload_sha256": letter.payload_sha256, "at": now}
        with self._path.open("a", encoding="utf-8") as file:
            # The line break comes first: what a crash has cut must not swallow the next entry.
            file.write(f"\n{json.dumps(entry)}")
            file.flush()
            os.fsync(file.fileno())
        self._known.add((letter.id, letter.payload_sha256))


def _remembered(line: bytes) -> tuple[str, str] | None:
    try:
        entry = json.loads(line)
        return entry["id"], entry["payload_sha256"]
    except (ValueError, TypeError, KeyError):
        return None
