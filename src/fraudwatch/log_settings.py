"""Settings of a process that reads topics in a consumer group."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings

from fraudwatch.settings import from_environment


class KnownTopicsSettings(BaseSettings):
    """Folder of the home in which a group remembers the ids of the topics that it reads."""

    model_config = from_environment("KNOWN_TOPICS_")
    folder: Path
