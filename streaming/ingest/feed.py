"""Follow a feed by its cursor, which is persisted only after its messages are acknowledged."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

from fraudwatch.adapters.edge.keysets import write_durably
from fraudwatch.adapters.edge.shop_feed import FeedMissing, FeedUnavailable, FetchedPage
from fraudwatch.application.dead_letters.quota import DeadLetterQuota, SourcePaused
from fraudwatch.application.intake.intake import FeedItem, IngestResult
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Problem

log = logging.getLogger("ingest")


class OfSource(Protocol):
    """Message of a feed, which names the source that reports it."""

    @property
    def source(self) -> str:
        """Return the name of the source."""


Content = TypeVar("Content", bound=OfSource)


class FeedName(Protocol):
    """Names of a feed: in dead letters and under the quota, and in the log."""

    @property
    def origin(self) -> str:
        """Return the prefix of the origin of its messages."""

    @property
    def path(self) -> str:
        """Return the name in the log."""


class Feed(Protocol[Content]):
    """Reads pages of messages by a cursor."""

    @property
    def kind(self) -> FeedName:
        """Return the names of the feed."""

    def after(self, cursor: str) -> FetchedPage[Content]:
        """Read a page; see :class:`fraudwatch.adapters.edge.shop_feed.ShopFeed`."""


class FeedChannel(Protocol[Content]):
    """Ingests the messages of a feed; see :class:`streaming.ingest.channel.IngestChannel`."""

    def submit_feed(self, items: Sequence[FeedItem[Content]]) -> IngestResult:
        """Ingest them."""

    def advance_cursor(self, cursor: str, sequence: int | None, head_sequence: int | None) -> None:
        """Record that everything before this cursor is ingested."""


RETRY_SECONDS = 2.0
# A source without this feed may get it with its next release.
MISSING_SECONDS = 300.0
# How soon a resumed source is read on.
PAUSED_SECONDS = 2.0
# A source without long polling must not be requested in a busy loop.
EMPTY_SECONDS = 0.2
_OTHER_SOURCE: Final = Refused(
    Code.OUT_OF_BOUNDS, [Problem("source", "is none that this feed speaks for")]
)


class FeedFollower(threading.Thread, Generic[Content]):
    """Follows one feed in a thread; a source may lack a feed that ``is_optional``.

    It speaks for these ``sources`` alone (none: for any): a message of another one is
    dead-lettered, so that a feed takes no ids of another source.

    ``on_acknowledged`` is called with each page whose messages are acknowledged, also if empty.
    Over the ``quota`` of dead letters the feed is not read on until it is resumed.
    """

    def __init__(
        self,
        feed: Feed[Content],
        channel: FeedChannel[Content],
        cursor_file: Path,
        *,
        sources: frozenset[str] = frozenset(),
        is_optional: bool = False,
        on_acknowledged: Callable[[FetchedPage[Content]], None] | None = None,
        quota: DeadLetterQuota | None = None,
    ) -> None:
        super().__init__(name=f"feed {feed.kind.path}", daemon=True)
        self._feed, self._channel, self._cursor_file = feed, channel, cursor_file
        self._sources = sources
        self._is_optional, self._is_known_missing = is_optional, False
        self._on_acknowledged = on_acknowledged
        self._quota, self._is_paused = quota, False
        self._cursor = ""
        if cursor_file.exists():
            self._cursor = json.loads(cursor_file.read_text())["cursor"]
            channel.advance_cursor(self._cursor, None, None)

    def run(self) -> None:
        """Ingest page after page, retrying while the source or the broker is unavailable."""
        log.info("following %s after '%s'", self._feed.kind.path, self._cursor)
        while True:
            time.sleep(self.read_page())

    def read_page(self) -> float:
        """Ingest the next page and return the seconds to wait before the one after."""
        try:
            self._require_running()
            return self._ingest_page()
        except SourcePaused as paused:
            return self._wait_for_operator(paused)
        except FeedMissing as error:
            if self._is_optional:
                return self._wait_for_feed(error)
            return self._retry_later(error)
        except (FeedUnavailable, NotDelivered) as error:
            return self._retry_later(error)

    def _ingest_page(self) -> float:
        page = self._feed.after(self._cursor)
        refused = 0
        if page.items:
            result = self._channel.submit_feed([self._of_source(one) for one in page.items])
            refused = len(result.dead_lettered)
        if page.items or page.left_out:
            write_durably(self._cursor_file, json.dumps({"cursor": page.next_cursor}))
        if page.items and self._quota is not None:
            self._quota.count(self._feed.kind.origin, len(page.items), refused)
        self._cursor, self._is_known_missing = page.next_cursor, False
        self._channel.advance_cursor(page.next_cursor, page.sequence, page.head_sequence)
        if self._on_acknowledged:
            self._on_acknowledged(page)
        return 0.0 if page.items or page.left_out else EMPTY_SECONDS

    def _require_running(self) -> None:
        if self._quota is not None:
            self._quota.require_running(self._feed.kind.origin)
            if self._is_paused:
                log.info("%s is read on", self._feed.kind.path)
            self._is_paused = False

    def _wait_for_operator(self, paused: SourcePaused) -> float:
        if not self._is_paused:
            log.error("%s", paused)
        self._is_paused = True
        return PAUSED_SECONDS

    def _of_source(self, item: FeedItem[Content]) -> FeedItem[Content]:
        if isinstance(item.content, Refused) or not self._sources:
            return item
        is_own = item.content.source in self._sources
        return item if is_own else replace(item, content=_OTHER_SOURCE)

    def _wait_for_feed(self, error: FeedMissing) -> float:
        if not self._is_known_missing:
            log.info("%s; checked again every %.0f s", error, MISSING_SECONDS)
        self._is_known_missing = True
        return MISSING_SECONDS

    def _retry_later(self, error: Exception) -> float:
        log.warning("%s; retrying in %.0f s", error, RETRY_SECONDS)
        return RETRY_SECONDS
