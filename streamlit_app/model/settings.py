"""Settings of the Model page."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings

from fraudwatch.settings import from_environment


class ModelPageSettings(BaseSettings):
    """Summary of the registry, the canary's counts, and the exporter of the batch jobs."""

    model_config = from_environment("MODEL_PAGE_")
    registry_path: Path
    canary_path: Path
    exporter: str
