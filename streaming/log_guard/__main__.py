"""Run the log guard: ``python -m streaming.log_guard``, until stopped.

Topics are kept by time and without a limit by size. While the disk is full the guard deletes what
every consumer group, the detector's snapshots and the archive have, the oldest first; then ingest
slows and refuses. What one of them has not read is never deleted.
"""

from __future__ import annotations

import logging
import shutil
import signal
import time
from functools import partial
from threading import Event

from prometheus_client import start_http_server

from fraudwatch.adapters.codecs.snapshot_manifests import least_covered
from fraudwatch.adapters.kafka_log.positions import BrokerUnavailable, KafkaPositions
from fraudwatch.adapters.kafka_log.record_deletion import RecordDeletion
from fraudwatch.log_settings import DiskSettings
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import KafkaSettings, ListenSettings
from streaming.log_guard.guard import LogGuard
from streaming.log_guard.settings import LogGuardSettings

log = logging.getLogger("log_guard")


def main() -> None:
    """Check the disk until stopped."""
    configure_logging("log_guard")
    settings, disk, kafka = LogGuardSettings(), DiskSettings(), KafkaSettings()
    stopping = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    guard = LogGuard(
        broker=KafkaPositions(kafka),
        delete_before=RecordDeletion(kafka).delete_before,
        snapshots=partial(least_covered, settings.snapshots_folder),
        free_bytes=lambda: shutil.disk_usage(disk.path).free,
        now_ms=lambda: time.time_ns() // 1_000_000,
        limits=disk.limits(),
        step_ms=int(settings.step_seconds * 1000),
        needs_archive=settings.needs_archive,
    )
    start_http_server(settings.metrics_port, addr=ListenSettings().address)
    while not stopping.is_set():
        try:
            guard.check()
        except BrokerUnavailable as error:
            log.warning("%s", error)
        stopping.wait(settings.check_seconds)


if __name__ == "__main__":
    main()
