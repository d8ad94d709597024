"""Run the notifier: mail and chat to staff, notices to customers.

``python -m streaming.notifier`` consumes verdicts in a group of its own and records those that
people are notified of in its state, a file of the home. Threads deliver from there: to staff at
least once, with stable ids; to customers at most once, through ingest, which alone opens sealed
fields.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

from prometheus_client import start_http_server

from fraudwatch.adapters.edge.edge_notices import HttpEdgeNotices
from fraudwatch.adapters.kafka_log.consumer_group import open_with_retry
from fraudwatch.adapters.kafka_log.log import group_consumer
from fraudwatch.adapters.kafka_log.topic_logs import known_topics
from fraudwatch.adapters.notifications.chat_webhook import ChatWebhook
from fraudwatch.adapters.notifications.mail import StaffMail
from fraudwatch.adapters.notifications.sqlite_store import SqliteNotificationStore
from fraudwatch.adapters.store.purchases import CassandraPurchases
from fraudwatch.adapters.store.session import connect
from fraudwatch.application.notifying.customer_delivery import CustomerDelivery
from fraudwatch.application.notifying.ports import PurchaseReader, StaffChannel
from fraudwatch.application.notifying.record_verdicts import RecordVerdicts
from fraudwatch.application.notifying.staff_delivery import StaffDelivery
from fraudwatch.application.notifying.staff_texts import StaffTexts
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.notifications.customer_notice import CustomerNotice, NoticeState
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.log_settings import KnownTopicsSettings
from fraudwatch.observability.logs import configure_logging
from fraudwatch.observability.metrics import counter
from fraudwatch.orchestration.settings import MailSettings
from fraudwatch.settings import CassandraSettings, KafkaSettings, ListenSettings
from streaming.notifier.loop import NotifierLoop
from streaming.notifier.settings import NotifierSettings
from streaming.notifier.workers import Worker, customer_worker, staff_worker

log = logging.getLogger("notifier")

GROUP = "notifier"
# Longer than verdicts are on the topic: what can be consumed again is known.
_KEEP_MS = 36 * DAY_MS
_PRUNE_SECONDS = 3_600.0
# Verdicts are small, and none of them is urgent by the second.
_QUEUED_KIB = 2_048
_notices = counter("fraudwatch_notifier_notices")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _count_notice(state: NoticeState) -> None:
    _notices.labels(state=state).inc()


def _end_process(failed: threading.ExceptHookArgs) -> None:
    """End the process: a notifier without one of its threads would look healthy."""
    log.error("thread %s failed", failed.thread, exc_info=failed.exc_value)
    logging.shutdown()
    os._exit(1)


class LazyPurchases:
    """``PurchaseReader`` that connects at its first use: staff are notified without Cassandra."""

    def __init__(self, open_reader: Callable[[], PurchaseReader]) -> None:
        self._open_reader = open_reader
        self._reader: PurchaseReader | None = None

    def purchase_of(self, notice: CustomerNotice) -> Transaction | None:
        """Return the purchase of a notice; see :class:`PurchaseReader`."""
        if self._reader is None:
            self._reader = self._open_reader()
        return self._reader.purchase_of(notice)


def _channels(settings: NotifierSettings) -> Iterator[StaffChannel]:
    yield StaffMail(MailSettings(), sender=settings.mail_from, recipient=settings.mail_to)
    if url := settings.chat():
        yield ChatWebhook(url)


def _prune(store: SqliteNotificationStore, stopping: threading.Event) -> None:
    while not stopping.is_set():
        store.prune(_now_ms() - _KEEP_MS)
        stopping.wait(_PRUNE_SECONDS)


def main() -> None:
    """Build the notifier and run it until stopped."""
    configure_logging("notifier")
    threading.excepthook = _end_process
    settings, kafka, cassandra = NotifierSettings(), KafkaSettings(), CassandraSettings()
    start_http_server(settings.metrics_port, addr=ListenSettings().address)
    store = open_with_retry(lambda: SqliteNotificationStore(settings.state_path))
    for _ in range(store.close_interrupted_notices(_now_ms())):
        _count_notice(NoticeState.UNCERTAIN)
    policy, channels = settings.policy(), list(_channels(settings))
    recording = RecordVerdicts(
        store, policy, [one.name for one in channels], settings.customer_events, _now_ms
    )
    consumer = group_consumer(
        kafka,
        GROUP,
        **{"group.instance.id": settings.instance, "queued.max.messages.kbytes": _QUEUED_KIB},
    )
    loop = NotifierLoop(
        consumer,
        recording,
        max_records=settings.max_poll_records,
        poll_seconds=settings.poll_seconds,
        known=known_topics(kafka, GROUP, KnownTopicsSettings().folder),
    )
    texts = StaffTexts(settings.console_url)
    workers: list[Worker] = [
        staff_worker(StaffDelivery(store, one, policy, texts, _now_ms), loop.stopping)
        for one in channels
    ]
    customers = CustomerDelivery(
        store,
        LazyPurchases(lambda: CassandraPurchases(connect(cassandra))),
        HttpEdgeNotices(settings.edge_url, settings.edge_api_key.get_secret_value()),
        _now_ms,
        settings.old_after_seconds,
        _count_notice,
    )
    if settings.customer_events:
        workers.append(customer_worker(customers, loop.stopping))
    threads = [worker.start() for worker in workers]
    threading.Thread(target=_prune, args=(store, loop.stopping), name="prune", daemon=True).start()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: loop.stopping.set())
    try:
        loop.run()
    finally:
        consumer.close()
        for thread in threads:
            thread.join(timeout=5.0)


if __name__ == "__main__":
    main()
