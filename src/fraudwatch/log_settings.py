"""Settings of processes that read topics, and of those that watch the disk of the topics."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic_settings import BaseSettings

from fraudwatch.domain.disk_guard import DiskLimits
from fraudwatch.settings import from_environment

_GIB: Final = 1 << 30


class KnownTopicsSettings(BaseSettings):
    """Folder of the home in which a group remembers the ids of the topics that it reads."""

    model_config = from_environment("KNOWN_TOPICS_")
    folder: Path


class DiskSettings(BaseSettings):
    """Free space of the disk with the topics, and a folder on it."""

    model_config = from_environment("DISK_")
    path: Path
    delete_below_gib: float = 4
    slow_below_gib: float = 2
    refuse_below_gib: float = 1

    def limits(self) -> DiskLimits:
        """Return the limits in bytes."""
        return DiskLimits(
            delete_below_bytes=int(self.delete_below_gib * _GIB),
            slow_below_bytes=int(self.slow_below_gib * _GIB),
            refuse_below_bytes=int(self.refuse_below_gib * _GIB),
        )
