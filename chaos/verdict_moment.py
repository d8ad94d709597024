"""Wait for a new verdict on ``fraud_topic``: Spark has most likely not committed its batch yet."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from fraudwatch.adapters.kafka_log.log import client_config
from fraudwatch.settings import KafkaSettings
from fraudwatch.stack.home import StackError
from fraudwatch.topics import FRAUD_TOPIC

VERDICT_SECONDS = 60.0
_ANSWER_SECONDS = 10.0
_FETCH_WAIT_MS = 5  # every millisecond of waiting is one in which Spark may commit
_POLL_SECONDS = 0.5


@contextmanager
def new_verdict(kafka: KafkaSettings, *, topic: str = FRAUD_TOPIC) -> Iterator[None]:
    """Wait for a new verdict on the topic, then run the body at once.

    The consumer is closed after the body, because Spark may commit while it closes.

    Raises:
        StackError: no verdict arrived within a minute, or the broker does not answer.
    """
    with _at_the_ends(kafka, topic) as consumer:
        _wait_for_new_message(consumer, VERDICT_SECONDS)
        yield


def _wait_for_new_message(consumer: Consumer, within_seconds: float) -> None:
    """Return at the first message after a partition's end offset.

    A message read before the consumer reached that end may be older, and its batch committed.
    """
    at_end: set[int | None] = set()
    last_error, deadline = "none", time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        if (message := consumer.poll(_POLL_SECONDS)) is None:
            continue
        error = message.error()
        if error is None:
            if message.partition() in at_end:
                return
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
            at_end.add(message.partition())
        else:  # the client retries by itself; the last error explains a timeout
            last_error = error.str()
    raise StackError(
        f"no new verdict came in {within_seconds:.0f} s (last error of Kafka's client: "
        f"{last_error}), so the detector was not killed at one; see in its log whether it scores"
    )


@contextmanager
def _at_the_ends(kafka: KafkaSettings, topic: str) -> Iterator[Consumer]:
    """Open a consumer at the end offsets; it joins no group and commits nothing."""
    options = {
        "group.id": f"{kafka.username}-moment",  # required by the client
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "fetch.wait.max.ms": _FETCH_WAIT_MS,
    }
    with closing(Consumer(client_config(kafka) | options)) as consumer:
        try:
            known = consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic].partitions
        except KafkaException as error:
            raise StackError(
                f"{topic} at {kafka.bootstrap_servers} cannot be read ({error}), so no new "
                "verdict can be detected; see Kafka's log"
            ) from error
        consumer.assign([TopicPartition(topic, number, OFFSET_END) for number in known])
        yield consumer
