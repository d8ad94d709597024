"""Settings of the log guard."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings

from fraudwatch.settings import from_environment


class LogGuardSettings(BaseSettings):
    """Its metrics and periods, the detector's snapshots, and whether there is an archive."""

    model_config = from_environment("LOG_GUARD_")
    metrics_port: int = 9121
    snapshots_folder: Path
    # False: a stack without a lake, whose topics are deleted once the services have read them.
    needs_archive: bool = True
    check_seconds: float = 10.0
    # The broker removes segments within a minute, and their files a minute later.
    step_seconds: float = 150.0
