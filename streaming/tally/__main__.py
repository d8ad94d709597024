"""The tally: verdicts counted by day, so that rates and trends need not read a million of them.

``python -m streaming.tally`` reads verdicts in a group of its own and keeps one row a day, source
partition and value in Cassandra; :mod:`fraudwatch.domain.tally` says why each is counted once,
however often it is read. What is no verdict it passes over: the persister puts it aside.
"""

from __future__ import annotations

import signal
import time

from prometheus_client import start_http_server

from fraudwatch.adapters.kafka_log.consumer_group import opened_when_possible
from fraudwatch.adapters.kafka_log.log import group_consumer
from fraudwatch.adapters.store.session import connect
from fraudwatch.adapters.store.tallies import CassandraTallyStore
from fraudwatch.application.console.tallying import Tallying
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import CassandraSettings, KafkaSettings, TallySettings
from streaming.tally.loop import Loop

GROUP = "tally"


def main() -> None:
    """Wire the tally and run it until stopped."""
    configure_logging("tally")
    settings, cassandra = TallySettings(), CassandraSettings()
    # A probe waits for this port, and the store may take longer than it waits.
    start_http_server(settings.metrics_port, addr="127.0.0.1")
    store = opened_when_possible(lambda: CassandraTallyStore(connect(cassandra)))
    # A static member that is killed and comes back takes its partitions at once.
    consumer = group_consumer(KafkaSettings(), GROUP, **{"group.instance.id": settings.instance})
    loop = Loop(
        consumer,
        Tallying(store),
        lambda: time.time_ns() // 1_000_000,
        most=settings.max_poll_records,
        poll_seconds=settings.poll_seconds,
    )
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: loop.stopping.set())
    try:
        loop.run()
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
