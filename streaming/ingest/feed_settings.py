"""Settings of the followed feeds; see :mod:`fraudwatch.settings`."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings

from fraudwatch.settings import from_environment


class FeedSettings(BaseSettings):
    """The sources that the feeds speak for, separated by commas; none: any."""

    model_config = from_environment("INGEST_FEED_")
    sources: str = ""

    def names(self) -> frozenset[str]:
        """Return the names of the sources."""
        return frozenset(name.strip() for name in self.sources.split(",") if name.strip())


class MappedFeedSettings(BaseSettings):
    """Folder of the feed files of feeds in another shape, and folder of the shipped mappings."""

    model_config = from_environment("INGEST_")
    feeds_folder: Path
    mappings_folder: Path
