"""Run the webhooks: signed events to the programs of clients, at least once.

``python -m streaming.webhooks`` consumes verdicts and labels in a group of its own, and records the
events of each subscription in its outbox, a file of the home. Threads deliver from there.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import threading
import time

import httpx
from prometheus_client import start_http_server

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.kafka_log.consumer_group import open_with_retry
from fraudwatch.adapters.kafka_log.log import group_consumer
from fraudwatch.adapters.kafka_log.topic_logs import known_topics
from fraudwatch.adapters.webhooks.http_sender import HttpWebhookSender
from fraudwatch.adapters.webhooks.sqlite_outbox import SqliteOutbox
from fraudwatch.adapters.webhooks.subscription_file import SubscriptionFile
from fraudwatch.application.webhooks.delivery import Delivery
from fraudwatch.application.webhooks.record_events import RecordEvents
from fraudwatch.log_settings import KnownTopicsSettings
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import KafkaSettings, ListenSettings
from streaming.webhooks.loop import WebhooksLoop
from streaming.webhooks.senders import Senders
from streaming.webhooks.settings import WebhooksSettings
from streaming.webhooks.upkeep import Upkeep

log = logging.getLogger("webhooks")

GROUP = "webhooks"
# Alerts are small and few; approvals on the topic are dropped at once.
_QUEUED_KIB = 2_048


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _end_process(failed: threading.ExceptHookArgs) -> None:
    """End the process: webhooks without one of their threads would look healthy."""
    log.error("thread %s failed", failed.thread, exc_info=failed.exc_value)
    logging.shutdown()
    os._exit(1)


def main() -> None:
    """Build the webhooks and run them until stopped."""
    configure_logging("webhooks")
    threading.excepthook = _end_process
    settings, kafka = WebhooksSettings(), KafkaSettings()
    start_http_server(settings.metrics_port, addr=ListenSettings().address)
    subscriptions = SubscriptionFile(settings.subscriptions_path)
    outbox = open_with_retry(lambda: SqliteOutbox(settings.outbox_path))
    consumer = group_consumer(
        kafka,
        GROUP,
        **{"group.instance.id": settings.instance, "queued.max.messages.kbytes": _QUEUED_KIB},
    )
    loop = WebhooksLoop(
        consumer,
        RecordEvents(outbox, subscriptions, encode, _now_ms),
        max_records=settings.max_poll_records,
        poll_seconds=settings.poll_seconds,
        known=known_topics(kafka, GROUP, KnownTopicsSettings().folder),
    )
    tls, policy = httpx.create_ssl_context(trust_env=False), settings.policy()

    def new_delivery() -> Delivery:
        sender = HttpWebhookSender(allow_loopback=settings.allow_loopback, tls=tls)
        return Delivery(outbox, sender, policy, _now_ms, random.random)

    senders = Senders(subscriptions, new_delivery, loop.stopping)
    upkeep = Upkeep(
        outbox,
        subscriptions,
        _now_ms,
        keep_days=settings.keep_days,
        max_events=settings.max_events,
    )
    threading.Thread(target=senders.run, name="senders", daemon=True).start()
    threading.Thread(target=upkeep.run, args=(loop.stopping,), name="upkeep", daemon=True).start()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: loop.stopping.set())
    try:
        loop.run()
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
