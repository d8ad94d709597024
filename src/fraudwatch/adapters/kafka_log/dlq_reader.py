"""The dead letters on their topic, for the operator: read them, open one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from tink import TinkError

from fraudwatch.adapters.edge.keysets import dead_letter_opener
from fraudwatch.adapters.kafka_log.log import client_config, read_range
from fraudwatch.application.dead_letters.dlq import Letter, Stays, Unreachable
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import DEAD_LETTER_TOPIC

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
                # A letter waits until the fetch behind the one before gives up: 0.5 s by default.
                "fetch.wait.max.ms": 10,
                "log_level": 0,  # what is wrong is said in our own words
            }
        )

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def letters(self) -> list[Letter]:
        """See :class:`~fraudwatch.application.dead_letters.dlq.Letterbox`.

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
        """See :class:`~fraudwatch.application.dead_letters.dlq.Letterbox`."""
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
