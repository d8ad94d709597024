"""Settings of the Model page."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings

from fraudwatch.settings import from_environment


class ModelPageSettings(BaseSettings):
    """The registry's summary, and the exporter with the figures of the batch jobs."""

    model_config = from_environment("MODEL_PAGE_")
    registry_path: Path
    exporter: str
