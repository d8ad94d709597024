"""Dead letters onto their topic, sealed so that only the operator's key opens them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from fraudwatch.adapters.edge.keysets import dead_letter_box
from fraudwatch.adapters.kafka_log.log import KafkaTopic
from fraudwatch.domain.messages.dead_letter import KEPT_PAYLOAD_BYTES, DeadLetter
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import DEAD_LETTER_TOPIC


class KafkaDeadLetters:
    """Dead letters on their topic, each payload sealed to the dead-letter key."""

    def __init__(self, settings: KafkaSettings, public_key: Path) -> None:
        self._topic = KafkaTopic(settings, DEAD_LETTER_TOPIC)
        self._box = dead_letter_box(public_key)

    def put(self, letters: Sequence[DeadLetter]) -> None:
        """See :class:`~fraudwatch.application.ports.DeadLetters`."""
        self._topic.send([(x.origin, self._sealed(x), _headers(x)) for x in letters])

    def _sealed(self, letter: DeadLetter) -> bytes:
        kept = letter.payload[:KEPT_PAYLOAD_BYTES]
        return bytes(self._box.encrypt(kept, letter.origin.encode()))


def _headers(letter: DeadLetter) -> dict[str, bytes]:
    described = {
        "code": letter.code,
        "stage": letter.stage,
        "origin": letter.origin,
        "reason": letter.reason,
        "payload_sha256": hashlib.sha256(letter.payload).hexdigest(),
        "payload_bytes": str(len(letter.payload)),
        "at_ms": str(letter.at_ms),
    }
    return {f"fraudwatch.{name}": text.encode() for name, text in described.items()}
