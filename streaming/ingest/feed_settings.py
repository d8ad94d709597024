"""Settings of the followed feeds; see :mod:`fraudwatch.settings`."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings

from fraudwatch.settings import SourceNames, from_environment


class FeedSettings(BaseSettings):
    """The sources that the feeds speak for."""

    model_config = from_environment("INGEST_FEED_")
    sources: SourceNames = frozenset()


class MappedFeedSettings(BaseSettings):
    """Folder of the feed files of feeds in another shape, and folder of the shipped mappings."""

    model_config = from_environment("INGEST_")
    feeds_folder: Path
    mappings_folder: Path
