"""Publish dead letters to ``dead_letter_topic``, sealed so that only the operator can open them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from fraudwatch.adapters.edge.keysets import dead_letter_sealer
from fraudwatch.adapters.kafka_log.log import KafkaTopic
from fraudwatch.domain.messages.dead_letter import KEPT_PAYLOAD_BYTES, DeadLetter
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import DEAD_LETTER_TOPIC


class KafkaDeadLetters:
    """``DeadLetters`` on Kafka; each payload is sealed to the dead-letter key."""

    def __init__(self, settings: KafkaSettings, public_key: Path) -> None:
        self._topic = KafkaTopic(settings, DEAD_LETTER_TOPIC)
        self._sealer = dead_letter_sealer(public_key)

    def put(self, dead_letters: Sequence[DeadLetter]) -> None:
        self._topic.send([(x.origin, self._sealed(x), _headers(x)) for x in dead_letters])

    def _sealed(self, dead_letter: DeadLetter) -> bytes:
        kept = dead_letter.payload[:KEPT_PAYLOAD_BYTES]
        return bytes(self._sealer.encrypt(kept, dead_letter.origin.encode()))


def _headers(dead_letter: DeadLetter) -> dict[str, bytes]:
    described = {
        "code": dead_letter.code,
        "stage": dead_letter.stage,
        "origin": dead_letter.origin,
        "reason": dead_letter.reason,
        "payload_sha256": hashlib.sha256(dead_letter.payload).hexdigest(),
        "payload_bytes": str(len(dead_letter.payload)),
        "at_ms": str(dead_letter.at_ms),
    }
    return {f"fraudwatch.{name}": text.encode() for name, text in described.items()}
