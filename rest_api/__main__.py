"""Run the REST API: read verdicts and alerts, accept labels, stream live alerts.

``python -m rest_api`` serves programs that have an API key. It reads Cassandra, produces labels,
and follows ``fraud_topic`` from its end for the streams; it has no key of the edge.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import uvicorn
from fastapi import FastAPI

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.edge.edge_tokens import EdgeTokens
from fraudwatch.adapters.http.key_check import KeyCheck
from fraudwatch.adapters.kafka_log.alert_log import KafkaAlertHistory, KafkaAlertTail
from fraudwatch.adapters.kafka_log.consumer_group import open_with_retry
from fraudwatch.adapters.kafka_log.feature_lookup import KafkaFeatureLookup
from fraudwatch.adapters.kafka_log.log import KafkaTopic
from fraudwatch.adapters.store.alert_search import CassandraAlertSearch
from fraudwatch.adapters.store.alerts import CassandraAlertReader
from fraudwatch.adapters.store.cases import CassandraCases
from fraudwatch.adapters.store.session import connect
from fraudwatch.application.alert_stream import (
    AlertHistory,
    AlertHub,
    LogEntry,
    LogPosition,
    LogUnavailable,
)
from fraudwatch.application.intake.intake import Intake
from fraudwatch.application.intake.message_builders import label_builder
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.dead_letter import DeadLetter
from fraudwatch.domain.messages.label import ReportedLabel
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import ApiKeySettings, CassandraSettings, KafkaSettings, ListenSettings
from fraudwatch.topics import LABELS_TOPIC
from rest_api.app import create_app
from rest_api.services import RestApiServices, VerdictReader
from rest_api.settings import RestApiSettings, TokensSettings

log = logging.getLogger("rest_api")

# A caller waits for it; the broker acknowledges within milliseconds.
_LABEL_SECONDS = 5.0
# The store keeps answering within it, or the caller is told to come back.
_QUERY_SECONDS = 2.0
_NO_TRANSACTION = "readyz:0"
_SHUTDOWN_SECONDS = 3


class _NoFeed:
    """``DeadLetters`` of an intake that follows no feed: every caller gets its own error."""

    def put(self, dead_letters: Sequence[DeadLetter]) -> None:
        raise TypeError(f"{len(dead_letters)} dead letters of an API that follows no feed")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _end_process(failed: threading.ExceptHookArgs) -> None:
    """End the process: an API whose live alerts have stopped would look healthy."""
    log.error("thread %s failed", failed.thread, exc_info=failed.exc_value)
    logging.shutdown()
    os._exit(1)


def _problems_of(
    verdicts: VerdictReader, history: AlertHistory, hub: AlertHub
) -> Callable[[], Mapping[str, str]]:
    def problems() -> Mapping[str, str]:
        found: dict[str, str] = {}
        try:
            verdicts.verdict_of(_NO_TRANSACTION)
        except StoreUnavailable:
            found["store"] = "Cassandra does not answer"
        try:
            history.require_stored(hub.position)
        except LogUnavailable:
            found["broker"] = "Kafka does not answer"
        return found

    return problems


def _services(kafka: KafkaSettings, cassandra: CassandraSettings) -> RestApiServices:
    session = open_with_retry(lambda: connect(cassandra, request_timeout_seconds=_QUERY_SECONDS))
    verdicts = open_with_retry(lambda: CassandraAlertReader(session))
    tokens = TokensSettings()
    hub, history = AlertHub(), KafkaAlertHistory(kafka)
    topic = KafkaTopic(kafka, LABELS_TOPIC, timeout_seconds=_LABEL_SECONDS)
    labels: Intake[ReportedLabel] = Intake(label_builder(encode), topic, _NoFeed(), _now_ms)
    return RestApiServices(
        verdicts=verdicts,
        purchases=open_with_retry(lambda: CassandraCases(session)),
        features=KafkaFeatureLookup(kafka),
        scanner=open_with_retry(lambda: CassandraAlertSearch(session)),
        tokens=EdgeTokens(tokens.url, tokens.api_key.get_secret_value()),
        labels=labels,
        hub=hub,
        history=history,
        problems=_problems_of(verdicts, history, hub),
    )


def _follow(app: FastAPI, kafka: KafkaSettings, hub: AlertHub) -> None:
    """Follow the log for as long as the app runs, and hand its alerts to the event loop."""

    @asynccontextmanager
    async def following(_: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()

        def start(position: LogPosition) -> None:
            loop.call_soon_threadsafe(hub.start, position)

        def deliver(entries: Sequence[LogEntry]) -> None:
            # The event loop of a stopping server may have closed before the consumer.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(hub.deliver, entries)

        tail = KafkaAlertTail(kafka, start, deliver)
        tail.start()
        yield
        tail.stop()

    app.router.lifespan_context = following


def main() -> None:
    """Build the REST API and serve until stopped."""
    configure_logging("rest_api")
    threading.excepthook = _end_process
    settings, kafka = RestApiSettings(), KafkaSettings()
    services = _services(kafka, CassandraSettings())
    app = create_app(services, KeyCheck(ApiKeyFile(ApiKeySettings().path)))
    _follow(app, kafka, services.hub)
    # No access log: tokens of customers in URLs are personal data.
    uvicorn.run(
        app,
        host=ListenSettings().address,
        port=settings.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )


if __name__ == "__main__":
    main()
