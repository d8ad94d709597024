"""Run the tally: count verdicts by day, so that rates and trends need not read every verdict.

``python -m streaming.tally`` consumes verdicts in a group of its own and keeps one row a day,
source partition and value in Cassandra; :mod:`fraudwatch.domain.tally` explains why each verdict is
counted once, however often it is consumed. Invalid messages are skipped: the persister
dead-letters them.
"""

from __future__ import annotations

import signal
import time

from prometheus_client import start_http_server

from fraudwatch.adapters.kafka_log.consumer_group import open_with_retry
from fraudwatch.adapters.kafka_log.log import group_consumer
from fraudwatch.adapters.kafka_log.topic_logs import known_topics
from fraudwatch.adapters.store.session import connect
from fraudwatch.adapters.store.tallies import CassandraTallyStore
from fraudwatch.application.console.tallying import Tallying
from fraudwatch.log_settings import KnownTopicsSettings
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import CassandraSettings, KafkaSettings, ListenSettings, TallySettings
from streaming.tally.loop import TallyLoop

GROUP = "tally"


def main() -> None:
    """Build the tally and run it until stopped."""
    configure_logging("tally")
    settings, kafka, cassandra = TallySettings(), KafkaSettings(), CassandraSettings()
    # A probe waits for this port, and opening the store may take longer than its timeout.
    start_http_server(settings.metrics_port, addr=ListenSettings().address)
    store = open_with_retry(lambda: CassandraTallyStore(connect(cassandra)))
    # A static member that is killed and restarted gets its partitions back at once.
    consumer = group_consumer(kafka, GROUP, **{"group.instance.id": settings.instance})
    loop = TallyLoop(
        consumer,
        Tallying(store),
        lambda: time.time_ns() // 1_000_000,
        max_records=settings.max_poll_records,
        poll_seconds=settings.poll_seconds,
        known=known_topics(kafka, GROUP, KnownTopicsSettings().folder),
    )
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: loop.stopping.set())
    try:
        loop.run()
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
