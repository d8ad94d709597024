"""Feeds are followed for ever; a cursor on disk never runs ahead of what is acknowledged."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from fraudwatch.adapters.edge.keysets import write_durably
from fraudwatch.adapters.edge.shop_feed import FeedMissing, FeedUnavailable, Page, ShopFeed
from fraudwatch.application.ports import NotDelivered
from streaming.ingest.channel import Door

log = logging.getLogger("ingest")

Content = TypeVar("Content")
RETRY_SECONDS = 2.0
# A source that has none of a feed may get it with its next release.
MISSING_SECONDS = 300.0
# A source that does not wait for its next message must not be asked without end.
EMPTY_SECONDS = 0.2


class FeedFollower(threading.Thread, Generic[Content]):
    """Reads one feed; ``is_optional`` is one that a source may well not have.

    ``on_taken`` is told each page whose messages are acknowledged, empty ones included.
    """

    def __init__(
        self,
        feed: ShopFeed[Content],
        door: Door[Content],
        cursor_file: Path,
        *,
        is_optional: bool = False,
        on_taken: Callable[[Page[Content]], None] | None = None,
    ) -> None:
        super().__init__(name=f"feed {feed.kind.path}", daemon=True)
        self._feed, self._door, self._cursor_file = feed, door, cursor_file
        self._is_optional, self._is_known_missing = is_optional, False
        self._on_taken = on_taken
        self._cursor = ""
        if cursor_file.exists():
            self._cursor = json.loads(cursor_file.read_text())["cursor"]
            door.standing.cursor = self._cursor

    def run(self) -> None:
        """Page after page; whatever is away for a moment is asked again."""
        log.info("following %s after '%s'", self._feed.kind.path, self._cursor)
        while True:
            time.sleep(self.read_page())

    def read_page(self) -> float:
        """Take the next page in; the answer is how many seconds to rest before the one after."""
        try:
            return self._take_page()
        except FeedMissing as error:
            if self._is_optional:
                return self._missing(error)
            return self._again(error)
        except (FeedUnavailable, NotDelivered) as error:
            return self._again(error)

    def _take_page(self) -> float:
        page = self._feed.after(self._cursor)
        if page.offered:
            self._door.take_feed(page.offered)
            write_durably(self._cursor_file, json.dumps({"cursor": page.next_cursor}))
        self._cursor, self._is_known_missing = page.next_cursor, False
        self._door.stand_at(page.next_cursor, page.sequence, page.head_sequence)
        if self._on_taken:
            self._on_taken(page)
        return 0.0 if page.offered else EMPTY_SECONDS

    def _missing(self, error: FeedMissing) -> float:
        if not self._is_known_missing:
            log.info("%s; it is asked again every %.0f s", error, MISSING_SECONDS)
        self._is_known_missing = True
        return MISSING_SECONDS

    def _again(self, error: Exception) -> float:
        log.warning("%s; again in %.0f s", error, RETRY_SECONDS)
        return RETRY_SECONDS
