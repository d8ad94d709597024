"""Decode and validate the messages that the persister consumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.kafka_log.consumer_group import Message
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.label import Label
from fraudwatch.domain.messages.refund import Refund, is_refund
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.topics import AUDIT_TOPIC, FRAUD_TOPIC, LABELS_TOPIC, TRANSACTION_TOPIC

CONTENTS: Final[Mapping[str, type[Any]]] = {
    TRANSACTION_TOPIC: Transaction,
    FRAUD_TOPIC: Verdict,
    LABELS_TOPIC: Label,
    AUDIT_TOPIC: AuditRecord,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of a topic with its decoded content, or the reason why it has none."""

    message: Message
    content: Verdict | Transaction | Refund | Label | AuditRecord | Refused

    @property
    def topic(self) -> str:
        """Return its topic."""
        return self.message.topic() or ""

    @property
    def origin(self) -> str:
        """Return its topic, partition and offset, unique over all topics."""
        return f"{self.topic}-{self.message.partition()}-{self.message.offset()}"

    @property
    def produced_at_ms(self) -> int:
        """Return the time of production on its topic."""
        return self.message.timestamp()[1]


def read(message: Message) -> Entry:
    """Decode a message by its topic and validate the bounds of its fields."""
    try:
        content = decode(_content_of(message), message.value() or b"")
    except Refused as refusal:
        return Entry(message, refusal)
    invalid = problems(content)
    return Entry(message, Refused(Code.OUT_OF_BOUNDS, invalid) if invalid else content)


def _content_of(message: Message) -> type[Any]:
    topic = message.topic() or ""
    if topic == TRANSACTION_TOPIC and is_refund(message.value() or b""):
        return Refund
    return CONTENTS[topic]
