"""Run the Kafka lag exporter: ``python -m exporters.kafka_lag``, until stopped.

It measures in the background every few seconds, so that a scrape costs the broker nothing. Its user
may describe topics and groups and read no message.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Event

from prometheus_client import REGISTRY, start_http_server
from pydantic_settings import BaseSettings

from exporters.kafka_lag.collecting import LagCollector
from exporters.kafka_lag.lag import LagReport, Positions, measure
from exporters.kafka_lag.message_times import MessageTimes
from fraudwatch.adapters.kafka_log.positions import BrokerUnavailable, KafkaPositions, Partition
from fraudwatch.adapters.lake.spark_checkpoint import (
    CheckpointDamaged,
    committed_ends,
    initial_offsets,
)
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import KafkaSettings, ListenSettings, from_environment
from fraudwatch.topics import TRANSACTION_TOPIC

DETECTOR = "detector"
log = logging.getLogger("kafka_lag")


class KafkaLagSettings(BaseSettings):
    """The lag exporter: its metrics, its period, and the detector's folder of state."""

    model_config = from_environment("KAFKA_LAG_")
    metrics_port: int = 9107
    refresh_seconds: float = 10.0
    state_folder: Path


def detector_positions(settings: KafkaLagSettings) -> Mapping[str, Positions]:
    """Read the detector's positions from Spark's checkpoint; none before its first start."""
    try:
        ends = committed_ends(settings, TRANSACTION_TOPIC) or initial_offsets(
            settings, TRANSACTION_TOPIC
        )
    except CheckpointDamaged as error:
        log.warning("%s; the detector's lag is unknown", error)
        return {}
    if not ends:
        return {}
    return {DETECTOR: {Partition(TRANSACTION_TOPIC, n): end for n, end in ends.items()}}


class LagWatch:
    """Measures the lag again and again, and logs once when the broker goes and comes."""

    def __init__(self, broker: KafkaPositions, settings: KafkaLagSettings) -> None:
        self._broker, self._settings = broker, settings
        self._times = MessageTimes(broker.first_since)
        self._is_reachable = True

    def measure(self) -> LagReport | None:
        """Measure once; None if the broker does not answer."""
        now_ms = time.time_ns() // 1_000_000
        try:
            report = measure(self._broker, self._times, detector_positions(self._settings), now_ms)
        except BrokerUnavailable as error:
            if self._is_reachable:
                log.warning("%s", error)
            self._is_reachable = False
            return None
        if not self._is_reachable:
            log.info("the broker answers again")
        self._is_reachable = True
        return report


def main() -> None:
    """Measure and serve until stopped."""
    configure_logging("kafka_lag")
    settings, stopping = KafkaLagSettings(), Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    watch, collector = LagWatch(KafkaPositions(KafkaSettings()), settings), LagCollector()
    collector.report(watch.measure())
    REGISTRY.register(collector)
    start_http_server(settings.metrics_port, addr=ListenSettings().address)
    while not stopping.wait(settings.refresh_seconds):
        collector.report(watch.measure())


if __name__ == "__main__":
    main()
