"""Keep the watch lists of ingest current, and measure screening."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Final

from pydantic_settings import BaseSettings

from fraudwatch.adapters.watch_lists.folder import WatchListFolder
from fraudwatch.domain.watch_lists import NameMatch
from fraudwatch.observability.metrics import counter, gauge, histogram
from fraudwatch.settings import from_environment

_REFRESH_SECONDS: Final = 2.0
_entries = gauge("fraudwatch_ingest_watch_list_entries")
_usable = gauge("fraudwatch_ingest_watch_lists_usable")
_matches = counter("fraudwatch_ingest_watch_list_matches")
_seconds = histogram("fraudwatch_ingest_watch_list_seconds")


class WatchListSettings(BaseSettings):
    """The folder of watch lists."""

    model_config = from_environment("WATCH_LISTS_")
    folder: Path


class MeasuredWatchLists:
    """Watch lists of a folder; :meth:`follow` keeps them current."""

    def __init__(self, folder: Path) -> None:
        self._lists = WatchListFolder(folder)
        self._is_stopped = threading.Event()
        self.refresh()

    def best_match(self, name: str, countries: frozenset[str]) -> NameMatch | None:
        """See :class:`fraudwatch.application.intake.screening.WatchLists`."""
        began = time.perf_counter()
        match = self._lists.best_match(name, countries)
        _seconds.observe(time.perf_counter() - began)
        if match is not None:
            _matches.inc()
        return match

    def refresh(self) -> None:
        """Read changed files, and set the metrics."""
        self._lists.refresh()
        _entries.set(self._lists.entries)
        _usable.set(self._lists.is_usable)

    def follow(self, every_seconds: float = _REFRESH_SECONDS) -> None:
        """Refresh from a thread of its own: a list of many names takes seconds to read."""
        follower = threading.Thread(
            target=self._refresh_forever, args=(every_seconds,), name="watch-lists", daemon=True
        )
        follower.start()

    def stop(self) -> None:
        """Stop following."""
        self._is_stopped.set()

    def _refresh_forever(self, every_seconds: float) -> None:
        while not self._is_stopped.wait(every_seconds):
            self.refresh()


def followed_watch_lists() -> MeasuredWatchLists:
    """Return the lists of the home's folder, which is made if it is missing."""
    folder = WatchListSettings().folder
    folder.mkdir(parents=True, exist_ok=True)
    lists = MeasuredWatchLists(folder)
    lists.follow()
    return lists
