"""Alerts on a terminal: the newest there are, then what arrives."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from fraudwatch.domain.instants import clock_of
from fraudwatch.topics import FRAUD_TOPIC

if TYPE_CHECKING:
    from confluent_kafka import Consumer

MOST_BEFORE, MOST_LIVE = 5, 10
# Alerts are rare: so many verdicts of each partition hold some.
_VERDICTS_BEFORE: Final = 2_000
_REACH_SECONDS: Final = 10.0


def newest_alerts(
    broker: str, admin_password: str, live_seconds: float
) -> Iterator[Mapping[str, Any]]:
    """Verdicts other than approve: the newest of now, oldest first, then those that arrive.

    It reads beside everybody else and commits nothing.
    """
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer(
        {
            "bootstrap.servers": broker,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": "admin",
            "sasl.password": admin_password,
            "group.id": "demo",  # asked for by the client; assigned by hand, nothing is committed
            "enable.auto.commit": False,
        }
    )
    try:
        left, places = 0, []
        for number in consumer.list_topics(FRAUD_TOPIC, timeout=10).topics[FRAUD_TOPIC].partitions:
            partition = TopicPartition(FRAUD_TOPIC, number)
            first, end = consumer.get_watermark_offsets(partition, timeout=10)
            start = max(first, end - _VERDICTS_BEFORE)
            places.append(TopicPartition(FRAUD_TOPIC, number, start))
            left += end - start
        consumer.assign(places)
        yield from _before(consumer, left)
        yield from _live(consumer, live_seconds)
    finally:
        consumer.close()


def sentence_of(verdict: Mapping[str, Any]) -> str:
    """One alert in one line; it shows no personal field."""
    amount = verdict.get("amount_eur_cents")
    euros = f"{amount // 100}.{amount % 100:02d} EUR" if isinstance(amount, int) else ""
    reasons = verdict.get("reasons") or [{"text": ""}]
    decided_at_ms = verdict.get("decided_at_ms")
    clock = clock_of(decided_at_ms) if isinstance(decided_at_ms, int) else ""
    return (
        f"{clock:<8}  {verdict.get('risk', '?'):<8} {verdict.get('outcome', '?'):<8} "
        f"{euros:>14}  {reasons[0]['text']}"
    )


def _before(consumer: Consumer, count: int) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    deadline = time.monotonic() + _REACH_SECONDS
    while count > 0 and time.monotonic() < deadline:
        messages = consumer.consume(min(count, 1_000), timeout=1.0)
        count -= len(messages)
        found += [alert for message in messages if (alert := _alert_in(message)) is not None]
    return sorted(found, key=itemgetter("decided_at_ms"))[-MOST_BEFORE:]


def _live(consumer: Consumer, seconds: float) -> Iterator[Mapping[str, Any]]:
    shown, deadline = 0, time.monotonic() + seconds
    while shown < MOST_LIVE and time.monotonic() < deadline:
        message = consumer.poll(1.0)
        if message is not None and (alert := _alert_in(message)) is not None:
            shown += 1
            yield alert


def _alert_in(message: Any) -> Mapping[str, Any] | None:
    if message.error():
        return None
    verdict: Mapping[str, Any] = json.loads(message.value() or b"{}")
    return verdict if verdict.get("outcome") != "approve" else None
