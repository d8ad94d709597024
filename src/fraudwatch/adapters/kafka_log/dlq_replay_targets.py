"""The ways by which a dead letter enters again: the topics of Kafka, and ingest's API."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any, TypeVar

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.edge.ingest_client import IngestApi
from fraudwatch.adapters.kafka_log.log import KafkaTopic
from fraudwatch.application.dead_letters.dlq import (
    INGEST_DOOR,
    INGEST_LABELS_DOOR,
    Door,
    DoorClosed,
    Stays,
)
from fraudwatch.application.ports import NotDelivered
from fraudwatch.application.replay import ports as replay
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.label import Label, ReportedLabel
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import (
    AUDIT_TOPIC,
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
    AUDIT_TOPIC: AuditRecord,
}


class CheckedDoor:
    """Lets in what its readers will take; the rest would only be put aside again."""

    def __init__(self, message: type[M], send: Callable[[M, bytes], None]) -> None:
        self._message, self._send = message, send

    def check(self, payload: bytes) -> None:
        """See :class:`~fraudwatch.application.dead_letters.dlq.Door`."""
        _sound(self._message, payload)

    def enter(self, payload: bytes) -> None:
        """See :class:`~fraudwatch.application.dead_letters.dlq.Door`."""
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
    return ways | {
        INGEST_DOOR: CheckedDoor(Purchase, partial(_post, ingest.send)),
        INGEST_LABELS_DOOR: CheckedDoor(ReportedLabel, partial(_post, ingest.send_labels)),
    }


def _post(
    send: Callable[[list[bytes]], replay.Taken], _: Purchase | ReportedLabel, payload: bytes
) -> None:
    try:
        # One message as it is, so that no letter passes as a list of them.
        send([payload])
    except replay.Refused as why:
        raise Stays("; ".join(f"{o.field} {o.reason}" for o in why.objections)) from why
    except replay.TooLarge as why:
        raise Stays("it is too large for ingest") from why
    except (replay.NotNow, replay.ReplayFailed) as why:
        raise DoorClosed(str(why)) from why


def _produce(
    settings: KafkaSettings,
    topic: str,
    sound: Transaction | Verdict | Label | AuditRecord,
    payload: bytes,
) -> None:
    now = str(time.time_ns() // 1_000_000).encode()
    # When the edge produced a verdict's transaction is not in the letter: unknown stays absent.
    headers = {} if isinstance(sound, Verdict) else {PRODUCED_AT_HEADER: now}
    try:
        _producer(settings, topic).send([(_key_of(sound), payload, headers)])
    except NotDelivered as error:
        raise DoorClosed(
            f"{topic} did not acknowledge it; see whether kafka runs with ./fraudwatch status, "
            "then give the same command again"
        ) from error


def _key_of(sound: Transaction | Verdict | Label | AuditRecord) -> str:
    """The key of its topic's contract."""
    match sound:
        case Label():
            return sound.transaction_id
        case AuditRecord():
            return sound.by
        case _:
            return sound.customer_token


@cache
def _producer(settings: KafkaSettings, topic: str) -> KafkaTopic:
    return KafkaTopic(settings, topic)
