"""Replay targets of dead letters: the topics of Kafka, and the ingest API."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any, TypeVar

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.codecs.submitted import read_label, read_purchase_or_refund
from fraudwatch.adapters.edge.ingest_client import IngestApi
from fraudwatch.adapters.kafka_log.log import KafkaTopic
from fraudwatch.application.dead_letters.dlq import (
    INGEST_LABELS_TARGET,
    INGEST_TARGET,
    NotReplayable,
    ReplayTarget,
    TargetUnavailable,
)
from fraudwatch.application.ports import NotDelivered
from fraudwatch.application.replay import ports as replay
from fraudwatch.domain.messages.audit import AuditRecord
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.label import Label, ReportedLabel
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.messages.refund import Refund, ReportedRefund, is_refund
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


def _transaction_or_refund(payload: bytes) -> Transaction | Refund:
    return decode(Refund, payload) if is_refund(payload) else decode(Transaction, payload)


_READERS: dict[str, Callable[[bytes], Any]] = {
    TRANSACTION_TOPIC: _transaction_or_refund,
    FRAUD_TOPIC: partial(decode, Verdict),
    LABELS_TOPIC: partial(decode, Label),
    AUDIT_TOPIC: partial(decode, AuditRecord),
}


class CheckedReplayTarget:
    """``ReplayTarget`` that sends only what its consumers accept, as the rest would fail again."""

    def __init__(self, read: Callable[[bytes], M], send: Callable[[M, bytes], None]) -> None:
        self._read, self._send = read, send

    def check(self, payload: bytes) -> None:
        _validated(self._read, payload)

    def replay(self, payload: bytes) -> None:
        self._send(_validated(self._read, payload), payload)


def _validated(read: Callable[[bytes], M], payload: bytes) -> M:
    try:
        found = read(payload)
    except Refused as why:
        raise NotReplayable(why.reason) from why
    if broken := problems(found):
        raise NotReplayable("; ".join(f"{p.field} {p.reason}" for p in broken))
    return found


def replay_targets(settings: KafkaSettings, ingest: IngestApi) -> dict[str, ReplayTarget]:
    """Return every replay target, by the name that a DLQ record gives it."""
    by_topic: dict[str, ReplayTarget] = {
        topic: CheckedReplayTarget(reader, partial(_produce, settings, topic))
        for topic, reader in _READERS.items()
    }
    return by_topic | {
        INGEST_TARGET: CheckedReplayTarget(read_purchase_or_refund, partial(_post_by_kind, ingest)),
        INGEST_LABELS_TARGET: CheckedReplayTarget(
            read_label, partial(post_to_ingest, ingest.send_labels)
        ),
    }


def _post_by_kind(ingest: IngestApi, found: Purchase | ReportedRefund, payload: bytes) -> None:
    send = ingest.send_refunds if isinstance(found, ReportedRefund) else ingest.send
    post_to_ingest(send, found, payload)


def post_to_ingest(
    send: Callable[[list[bytes]], replay.BatchResult],
    _: Purchase | ReportedRefund | ReportedLabel,
    payload: bytes,
) -> None:
    """Send one message to ingest's API.

    Raises:
        NotReplayable: ingest refuses it.
        TargetUnavailable: ingest does not answer.
    """
    try:
        # One message unchanged, so that a payload cannot pass as a list of messages.
        send([payload])
    except replay.BatchRefused as why:
        raise NotReplayable("; ".join(f"{o.field} {o.reason}" for o in why.refused_items)) from why
    except replay.TooLarge as why:
        raise NotReplayable("it is too large for ingest") from why
    except (replay.RetryLater, replay.ReplayFailed) as why:
        raise TargetUnavailable(str(why)) from why


def _produce(
    settings: KafkaSettings,
    topic: str,
    message: Transaction | Refund | Verdict | Label | AuditRecord,
    payload: bytes,
) -> None:
    now = str(time.time_ns() // 1_000_000).encode()
    # A dead letter lacks the time when the edge produced a verdict's transaction: header omitted.
    headers = {} if isinstance(message, Verdict) else {PRODUCED_AT_HEADER: now}
    try:
        _producer(settings, topic).send([(_key_of(message), payload, headers)])
    except NotDelivered as error:
        raise TargetUnavailable(
            f"{topic} did not acknowledge it; see whether kafka runs with ./fraudwatch status, "
            "then run the same command again"
        ) from error


def _key_of(message: Transaction | Refund | Verdict | Label | AuditRecord) -> str:
    """Return the message key that the topic's contract requires."""
    match message:
        case Label():
            return message.transaction_id
        case AuditRecord():
            return message.by
        case _:
            return message.customer_token


@cache
def _producer(settings: KafkaSettings, topic: str) -> KafkaTopic:
    return KafkaTopic(settings, topic)
