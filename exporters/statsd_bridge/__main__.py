"""Run the StatsD bridge: ``python -m exporters.statsd_bridge``, on loopback, until stopped."""

from __future__ import annotations

import signal
import sys
from threading import Event

from prometheus_client import REGISTRY, start_http_server

from exporters.statsd_bridge.mapping import BadMapping, load_mapping
from exporters.statsd_bridge.receiving import Receiver, listen
from exporters.statsd_bridge.series import Series
from exporters.statsd_bridge.settings import StatsdBridgeSettings
from fraudwatch.observability import metrics
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import ListenSettings


def main() -> int:
    """Build the bridge and run it until stopped; return the exit code."""
    log, settings, stopping = configure_logging("statsd_bridge"), StatsdBridgeSettings(), Event()
    try:
        series = Series(load_mapping(settings.mapping_path))
    except BadMapping as error:
        log.error("%s", error)  # noqa: TRY400  the sentence is enough
        return 1
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    receiver = Receiver(series, metrics.counter("statsd_bridge_bad_lines"))
    REGISTRY.register(series)
    # First the UDP port: a bridge that answers scrapes also receives.
    with listen(settings.udp_port) as opened:
        start_http_server(settings.metrics_port, addr=ListenSettings().address)
        receiver.run(opened, stopping)
    return 0


if __name__ == "__main__":
    sys.exit(main())
