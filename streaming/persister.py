"""The persister: its topics into Cassandra, written before committed.

``python -m streaming.persister`` reads transactions, verdicts and labels independently and never
joins them. An offset moves only after its row is durable or its dead letter is acknowledged. While
the store is away, reading rests and membership in the group is kept; rows are idempotent, so
whatever is read twice after a crash changes nothing.
"""

from __future__ import annotations

import logging
import signal
import time

from prometheus_client import start_http_server

from fraudwatch.adapters.cassandra_session import connect
from fraudwatch.adapters.cassandra_store import CassandraVerdictStore
from fraudwatch.adapters.kafka_log import KafkaDeadLetters, group_consumer
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import CassandraSettings, KafkaSettings, PersisterSettings
from streaming.persister_loop import FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS, Loop
from streaming.persister_writing import Persister

log = logging.getLogger("persister")

GROUP = "persister"


def _connected(settings: CassandraSettings) -> CassandraVerdictStore:
    """The store, waited for: the persister may be up before Cassandra is back."""
    wait_seconds = FIRST_RETRY_SECONDS
    while True:
        try:
            return CassandraVerdictStore(connect(settings))
        except StoreUnavailable as error:
            log.warning("%s; again in %.1f s", error, wait_seconds)
            time.sleep(wait_seconds)
            wait_seconds = min(2 * wait_seconds, LONGEST_RETRY_SECONDS)


def main() -> None:
    """Wire the persister and run it until stopped."""
    configure_logging("persister")
    settings, kafka = PersisterSettings(), KafkaSettings()
    persister = Persister(
        _connected(CassandraSettings()),
        KafkaDeadLetters(kafka, settings.dead_letter_key_path),
        now_ms=lambda: time.time_ns() // 1_000_000,
    )
    # A static member that is killed and comes back takes its partitions at once; without it the
    # group would wait for the dead one's session to end.
    consumer = group_consumer(kafka, GROUP, **{"group.instance.id": settings.instance})
    loop = Loop(consumer, persister, settings.max_poll_records)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: loop.stopping.set())
    start_http_server(settings.metrics_port, addr="127.0.0.1")
    try:
        loop.run()
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
