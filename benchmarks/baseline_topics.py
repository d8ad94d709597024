"""Create the two topics of a baseline measurement and delete them after it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own public names
    AdminClient,
    NewTopic,
)

from benchmarks.baseline_query import INPUT_TOPIC, OUTPUT_TOPIC, BaselineFailed
from fraudwatch.adapters.kafka_log.log import client_config
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import TRANSACTION_TOPIC

_ADMIN_SECONDS = 30.0


@contextmanager
def baseline_topics(kafka: KafkaSettings) -> Iterator[None]:
    """Create both topics, empty, with the stream's partition count; delete them at exit."""
    admin = AdminClient({**client_config(kafka)})
    partitions = len(admin.list_topics(timeout=_ADMIN_SECONDS).topics[TRANSACTION_TOPIC].partitions)
    _delete(admin)
    topics = [NewTopic(name, partitions, 1) for name in (INPUT_TOPIC, OUTPUT_TOPIC)]
    _wait_for_results(admin.create_topics(topics))
    _wait_until(lambda: len(_existing(admin)) == len(topics), "were not created")
    try:
        yield
    finally:
        _delete(admin)


def _delete(admin: AdminClient) -> None:
    if existing := _existing(admin):
        _wait_for_results(admin.delete_topics(existing))
        _wait_until(lambda: not _existing(admin), "were not deleted")


def _existing(admin: AdminClient) -> list[str]:
    known = admin.list_topics(timeout=_ADMIN_SECONDS).topics
    return [name for name in (INPUT_TOPIC, OUTPUT_TOPIC) if name in known]


def _wait_for_results(futures: Mapping[str, Any]) -> None:
    for future in futures.values():
        future.result(_ADMIN_SECONDS)


def _wait_until(is_met: Callable[[], bool], failure: str) -> None:
    deadline = time.monotonic() + _ADMIN_SECONDS
    while not is_met():
        if time.monotonic() > deadline:
            raise BaselineFailed(
                f"the baselines' topics {failure} in {_ADMIN_SECONDS:.0f} s, so nothing was "
                "measured; see Kafka's log"
            )
        time.sleep(0.1)
