"""Run the exporter of services' usage: ``python -m exporters.service_usage``, until stopped.

For the native stack; in containers cAdvisor and node exporter serve the same names.
"""

from __future__ import annotations

import signal
from threading import Event

from prometheus_client import REGISTRY, start_http_server
from pydantic_settings import BaseSettings

from exporters.service_usage.collecting import UsageCollector
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import ListenSettings, from_environment
from fraudwatch.stack.home import Home


class ServiceUsageSettings(BaseSettings):
    """The exporter's own port."""

    model_config = from_environment("SERVICE_USAGE_")
    metrics_port: int = 9106


def main() -> None:
    """Serve until stopped."""
    configure_logging("service_usage")
    settings, stopping = ServiceUsageSettings(), Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    REGISTRY.register(UsageCollector(Home.from_environment()))
    start_http_server(settings.metrics_port, addr=ListenSettings().address)
    stopping.wait()


if __name__ == "__main__":
    main()
