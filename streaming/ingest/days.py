"""Announce closed days, and persist which are announced beside the feed's cursor."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.edge.keysets import write_durably
from fraudwatch.adapters.edge.shop_feed import FetchedPage
from fraudwatch.application.intake.announce_days import DayAnnouncer
from fraudwatch.application.ports import Publisher
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.messages.refund import ReportedRefund


def day_announcer(topic: Publisher, file: Path, now_ms: Callable[[], int]) -> DayAnnouncer:
    """Create the announcer; it continues where an earlier process ended."""

    def save(day: date) -> None:
        write_durably(file, json.dumps({"open_day": day.isoformat()}))

    saved = json.loads(file.read_text())["open_day"] if file.exists() else None
    open_day = date.fromisoformat(saved) if saved else None
    return DayAnnouncer(topic, encode, now_ms, save, open_day)


def announce(announcer: DayAnnouncer, page: FetchedPage[Purchase | ReportedRefund]) -> None:
    """Advance the announcer by a page of the feed whose messages are all acknowledged.

    Days end by purchases: a refund has no day of its own.
    """
    contents = [one.content for one in page.items]
    times_ms = [content.event_at_ms for content in contents if isinstance(content, Purchase)]
    is_at_end = page.sequence is not None and page.sequence == page.head_sequence
    announcer.advance(times_ms, is_at_head=is_at_end or not page.items)
