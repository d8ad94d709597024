"""Follow the feeds in another shape, one a feed file, and show how far each is."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, FastAPI, Request

from fraudwatch.adapters.edge.feed_files import (
    BrokenFeedFile,
    FeedDefinition,
    api_key_of,
    feed_paths,
    load_feed,
)
from fraudwatch.adapters.edge.shop_feed import FetchedPage
from fraudwatch.adapters.http.key_check import require
from fraudwatch.application.dead_letters.quota import DeadLetterQuota
from fraudwatch.application.intake.intake import FeedItem, IngestResult
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.observability.metrics import counter, gauge
from fraudwatch.settings import IngestSettings
from streaming.ingest.channel import IngestChannel
from streaming.ingest.feed import FeedFollower

if TYPE_CHECKING:
    from fraudwatch.adapters.edge.mapped_feed import MappedFeed

log = logging.getLogger("ingest")

_records = counter("fraudwatch_ingest_mapped_records")
_unusable = gauge("fraudwatch_ingest_unusable_feeds")
keyed_routes = APIRouter(prefix="/v1")


@dataclass(slots=True)
class MappedFeedStatus:
    """Position of a feed, and what became of its records since the process began."""

    cursor: str = ""
    accepted: int = 0
    repeated: int = 0
    dead_lettered: int = 0
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class MappedFeedChannel:
    """Ingests a feed's purchases beside all others, and counts them by feed."""

    purchases: IngestChannel[Purchase]
    status: MappedFeedStatus = field(default_factory=MappedFeedStatus)

    def submit_feed(self, items: Sequence[FeedItem[Purchase]]) -> IngestResult:
        """See :meth:`IngestChannel.submit_feed`."""
        result = self.purchases.submit_feed(items)
        self.status.accepted += result.accepted
        self.status.repeated += result.repeated
        self.status.dead_lettered += len(result.dead_lettered)
        _records.labels(outcome="accepted").inc(result.accepted)
        _records.labels(outcome="repeated").inc(result.repeated)
        _records.labels(outcome="dead_lettered").inc(len(result.dead_lettered))
        return result

    def advance_cursor(self, cursor: str, _: int | None, __: int | None) -> None:
        """Record the cursor; the lag of such a feed is unknown."""
        self.status.cursor = cursor

    def count_left_out(self, page: FetchedPage[Purchase]) -> None:
        """Count the records that are no purchases by their mapping."""
        self.status.left_out += page.left_out
        _records.labels(outcome="left_out").inc(page.left_out)


@dataclass(slots=True)
class MappedFeeds:
    """Followed feeds by name, and those whose file cannot be used, with the reason."""

    followed: dict[str, MappedFeedStatus] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)


def follow_mapped_feeds(
    feeds_folder: Path,
    mappings_folder: Path,
    settings: IngestSettings,
    purchases: IngestChannel[Purchase],
    quota: DeadLetterQuota,
) -> MappedFeeds:
    """Follow every feed whose file is valid; another one stops neither ingest nor other feeds."""
    feeds = MappedFeeds()
    if not (paths := feed_paths(feeds_folder)):
        return feeds
    from fraudwatch.adapters.edge.mapped_feed import MappedFeed

    for path in paths:
        try:
            definition = load_feed(path, mappings_folder)
            api_key = api_key_of(definition, settings.keys_folder)
        except BrokenFeedFile as error:
            feeds.unusable[path.stem] = str(error)
            continue
        channel = MappedFeedChannel(purchases)
        feeds.followed[definition.name] = channel.status
        feed = MappedFeed(definition, api_key)
        follower_of(definition, feed, channel, settings.state_folder, quota).start()
    for reason in feeds.unusable.values():
        log.error("%s; the feed is not followed", reason)
    _unusable.set(len(feeds.unusable))
    return feeds


def follower_of(
    definition: FeedDefinition,
    feed: MappedFeed,
    channel: MappedFeedChannel,
    state_folder: Path,
    quota: DeadLetterQuota,
) -> FeedFollower[Purchase]:
    """Build the follower of a feed, with a cursor of its own."""
    return FeedFollower(
        feed,
        channel,
        state_folder / f"{definition.origin}.cursor.json",
        sources=frozenset(definition.file.sources),
        on_acknowledged=partial(MappedFeedChannel.count_left_out, channel),
        quota=quota,
    )


@keyed_routes.get("/feeds", dependencies=[Depends(require(None))])
def show_feeds(request: Request) -> dict[str, Any]:
    """Show the feeds in another shape: position, counts since ingest started, unusable files."""
    feeds: MappedFeeds = request.app.state.mapped_feeds
    followed = {name: asdict(status) for name, status in feeds.followed.items()}
    return {"feeds": followed, "unusable": feeds.unusable}


def add_feeds(app: FastAPI, feeds: MappedFeeds) -> None:
    """Add the endpoint to ingest's API."""
    app.state.mapped_feeds = feeds
    app.include_router(keyed_routes)
