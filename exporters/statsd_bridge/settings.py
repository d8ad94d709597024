"""Settings of the StatsD bridge; see :mod:`fraudwatch.settings`."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings

from fraudwatch.settings import from_environment


class StatsdBridgeSettings(BaseSettings):
    """The UDP port that receives, the HTTP port that is scraped, and the mapping file."""

    model_config = from_environment("STATSD_BRIDGE_")
    udp_port: int = 9125
    metrics_port: int = 9108
    mapping_path: Path
