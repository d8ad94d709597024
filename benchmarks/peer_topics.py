"""The two topics that the peers are measured on, made for each measurement and removed after it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own public names
    AdminClient,
    NewTopic,
)

from benchmarks.peer_query import INPUT_TOPIC, OUTPUT_TOPIC, PeerFailed
from fraudwatch.adapters.kafka_log.log import client_config
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import TRANSACTION_TOPIC

_ADMIN_SECONDS = 30.0


@contextmanager
def peer_topics(kafka: KafkaSettings) -> Iterator[None]:
    """Both topics, empty, with as many partitions as the stream's own; removed afterwards."""
    admin = AdminClient({**client_config(kafka)})
    partitions = len(admin.list_topics(timeout=_ADMIN_SECONDS).topics[TRANSACTION_TOPIC].partitions)
    _remove(admin)
    wanted = [NewTopic(name, partitions, 1) for name in (INPUT_TOPIC, OUTPUT_TOPIC)]
    _finish(admin.create_topics(wanted))
    _until(lambda: len(_present(admin)) == len(wanted), "were not made")
    try:
        yield
    finally:
        _remove(admin)


def _remove(admin: AdminClient) -> None:
    if found := _present(admin):
        _finish(admin.delete_topics(found))
        _until(lambda: not _present(admin), "were not removed")


def _present(admin: AdminClient) -> list[str]:
    known = admin.list_topics(timeout=_ADMIN_SECONDS).topics
    return [name for name in (INPUT_TOPIC, OUTPUT_TOPIC) if name in known]


def _finish(futures: Mapping[str, Any]) -> None:
    for future in futures.values():
        future.result(_ADMIN_SECONDS)


def _until(is_so: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + _ADMIN_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise PeerFailed(f"the peers' topics {complaint} in {_ADMIN_SECONDS:.0f} s")
        time.sleep(0.1)
