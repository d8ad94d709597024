"""The moment right after a new verdict: Spark has most likely not committed its batch yet."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from fraudwatch.adapters.kafka_log.log import client_config
from fraudwatch.settings import KafkaSettings
from fraudwatch.stack.place import Unusable
from fraudwatch.topics import FRAUD_TOPIC

VERDICT_SECONDS = 60.0
_ANSWER_SECONDS = 10.0
_FETCH_WAIT_MS = 5  # every millisecond of waiting is one in which Spark may commit
_POLL_SECONDS = 0.5


@contextmanager
def new_verdict(kafka: KafkaSettings, *, topic: str = FRAUD_TOPIC) -> Iterator[None]:
    """Enter as soon as the topic holds a verdict that it did not hold before.

    The consumer is closed only when the body is done: in the time it takes Spark may commit.

    Raises:
        Unusable: none came in a minute, or the broker cannot be asked.
    """
    with _at_the_ends(kafka, topic) as consumer:
        _wait_for_new_message(consumer, VERDICT_SECONDS)
        yield


def _wait_for_new_message(consumer: Consumer, within_seconds: float) -> None:
    """Return with the first message behind a partition's end.

    What is read before the consumer stood at that end may be older, and its batch committed.
    """
    at_end: set[int | None] = set()
    said, deadline = "nothing", time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        if (message := consumer.poll(_POLL_SECONDS)) is None:
            continue
        error = message.error()
        if error is None:
            if message.partition() in at_end:
                return
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
            at_end.add(message.partition())
        else:  # the client tries again by itself; its word is worth telling when nothing comes
            said = error.str()
    raise Unusable(
        f"no new verdict came in {within_seconds:.0f} s (Kafka's client said: {said}), so the "
        "detector was not killed at one; see in its log whether it judges"
    )


@contextmanager
def _at_the_ends(kafka: KafkaSettings, topic: str) -> Iterator[Consumer]:
    """A consumer assigned by hand: it joins no group and commits nothing."""
    asking = {
        "group.id": f"{kafka.username}-moment",  # asked for by the client
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "fetch.wait.max.ms": _FETCH_WAIT_MS,
    }
    with closing(Consumer(client_config(kafka) | asking)) as consumer:
        try:
            known = consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic].partitions
        except KafkaException as error:
            raise Unusable(
                f"{topic} at {kafka.bootstrap_servers} cannot be looked at ({error}), so no "
                "verdict can be waited for; see Kafka's log"
            ) from error
        consumer.assign([TopicPartition(topic, number, OFFSET_END) for number in known])
        yield consumer
