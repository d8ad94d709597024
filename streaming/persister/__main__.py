"""Run the persister: write its topics to Cassandra, then commit the offsets.

``python -m streaming.persister`` consumes transactions, verdicts, labels and audit records
independently and never joins them. An offset is committed only after its row is durable or its dead
letter is acknowledged. While the store is unavailable, consumption is paused and the membership in
the group kept; rows are idempotent, so messages consumed twice after a crash change nothing.
"""

from __future__ import annotations

import gc
import logging
import signal
import time
from datetime import UTC, datetime

from prometheus_client import start_http_server

from fraudwatch.adapters.kafka_log.consumer_group import open_with_retry
from fraudwatch.adapters.kafka_log.dead_letters import KafkaDeadLetters
from fraudwatch.adapters.kafka_log.log import group_consumer
from fraudwatch.adapters.kafka_log.topic_logs import known_topics
from fraudwatch.adapters.store.link_fill import LinkFill
from fraudwatch.adapters.store.open_alerts import fill_once
from fraudwatch.adapters.store.session import close, connect
from fraudwatch.adapters.store.verdict_store import CassandraVerdictStore
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.log_settings import KnownTopicsSettings
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import CassandraSettings, KafkaSettings, ListenSettings, PersisterSettings
from streaming.persister.loop import GROUP, REFILL_COMMAND, PersisterLoop
from streaming.persister.writing import Persister

log = logging.getLogger("persister")


def main() -> None:
    """Build the persister and run it until stopped."""
    configure_logging("persister")
    settings, kafka, cassandra = PersisterSettings(), KafkaSettings(), CassandraSettings()
    store, link_fill = open_with_retry(lambda: _open_store(cassandra))
    persister = Persister(
        store,
        KafkaDeadLetters(kafka, settings.dead_letter_key_path),
        now_ms=lambda: time.time_ns() // 1_000_000,
    )
    # A static member that is killed and restarted gets its partitions back at once; otherwise the
    # group would wait until the old member's session expires.
    consumer = group_consumer(kafka, GROUP, **{"group.instance.id": settings.instance})
    known = known_topics(kafka, GROUP, KnownTopicsSettings().folder, refill=REFILL_COMMAND)
    loop = PersisterLoop(consumer, persister, settings.max_poll_records, known)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: loop.stopping.set())
    start_http_server(settings.metrics_port, addr=ListenSettings().address)
    link_fill.start(loop.stopping)
    _collect_seldom()
    try:
        loop.run()
    finally:
        consumer.close()


def _collect_seldom() -> None:
    """Let the cyclic garbage collector look less often at messages, which form no cycles.

    A batch has tens of thousands of objects, so with Python's thresholds each was scanned several
    times: a tenth of the cost of writing it (measured).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def _open_store(settings: CassandraSettings) -> tuple[CassandraVerdictStore, LinkFill]:
    session = connect(settings)
    try:
        store = CassandraVerdictStore(session)
        if alerts := fill_once(session, store, datetime.now(UTC)):
            log.info("added the undecided of %d earlier alerts to the open ones", alerts)
    except StoreUnavailable:
        close(session)
        raise
    return store, LinkFill(session)


if __name__ == "__main__":
    main()
