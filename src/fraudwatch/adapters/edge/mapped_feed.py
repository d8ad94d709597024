"""Feed in another shape over HTTP: pages of JSON records that become purchases by a mapping."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import httpx
import msgspec

from fraudwatch.adapters.codecs.submitted import feed_item, purchase_of
from fraudwatch.adapters.datasets.json_path import steps_of
from fraudwatch.adapters.datasets.records import LEFT_OUT
from fraudwatch.adapters.edge.feed_files import FeedDefinition
from fraudwatch.adapters.edge.shop_feed import FeedUnavailable, FetchedPage
from fraudwatch.application.intake.intake import FeedItem
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.purchase import Purchase

_TIMEOUT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class MappedFeedKind:
    """Names of a feed: in dead letters and under the quota, and in the log."""

    origin: str
    path: str


class MappedFeed:
    """Reads pages of a feed in the shape that its feed file describes."""

    def __init__(
        self,
        definition: FeedDefinition,
        api_key: str,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """``transport`` replaces the network in tests."""
        self.kind = MappedFeedKind(definition.origin, f"feeds/{definition.name}")
        self._file, self._mapper = definition.file, definition.mapper
        header = self._file.api_key_header
        self._client = httpx.Client(
            headers={header: api_key} if header else {"Authorization": f"Bearer {api_key}"},
            timeout=_TIMEOUT_SECONDS,
            transport=transport,
        )

    def after(self, cursor: str) -> FetchedPage[Purchase]:
        """Read the page after ``cursor``; the empty cursor is the beginning.

        Raises:
            FeedUnavailable: no answer, an error status, or not a page as the feed file describes.
        """
        file = self._file
        wanted = dict(file.parameters)
        if cursor:
            wanted[file.cursor_parameter] = cursor
        if file.limit_parameter is not None:
            wanted[file.limit_parameter] = str(file.page_records)
        try:
            answer = self._client.get(file.url, params=wanted)
            content = answer.raise_for_status().content
            records = _records(content, file.pages.records)
            next_cursor = self._next_cursor(content, records)
        except (httpx.HTTPError, msgspec.DecodeError, UnicodeDecodeError, _NoPage) as error:
            raise FeedUnavailable(
                f"{self.kind.path} gave no page after '{cursor}': {error}"
            ) from error
        if not records:
            return FetchedPage([], next_cursor or cursor, None, None)
        if next_cursor in {None, cursor}:
            raise FeedUnavailable(
                f"{self.kind.path} gave a page after '{cursor}' with {len(records)} record(s) and"
                " no cursor beyond it, so nothing of it was ingested; correct pages or"
                " cursor_parameter in its file"
            )
        return self._page(cursor, next_cursor or "", records)

    def _page(self, cursor: str, next_cursor: str, records: list[bytes]) -> FetchedPage[Purchase]:
        mapped = self._mapper.mapped(records)
        items = [
            _item(f"{self.kind.origin}:{cursor}+{index}", record, one)
            for index, (record, one) in enumerate(zip(records, mapped, strict=True))
            if one is not LEFT_OUT
        ]
        left_out = len(records) - len(items)
        return FetchedPage(items, next_cursor, None, None, left_out)

    def _next_cursor(self, content: bytes, records: list[bytes]) -> str | None:
        pages = self._file.pages
        if pages.next_cursor is not None:
            return _text_at(content, pages.next_cursor)
        return _text_at(records[-1], pages.last_record_cursor or "$") if records else None


class _NoPage(ValueError):
    """The answer is JSON, and has no list of records where the feed file says."""


def _item(origin: str, record: bytes, mapped: bytes | Refused) -> FeedItem[Purchase]:
    """Keep the record as it came, so that a dead letter can be mapped again."""
    if isinstance(mapped, Refused):
        return FeedItem(origin, record, mapped)
    return replace(feed_item(origin, mapped, purchase_of), payload=record)


def _records(content: bytes, path: str) -> list[bytes]:
    found = _raw_at(content, path)
    try:
        listed = msgspec.json.decode(found or b"null", type=list[msgspec.Raw])
    except msgspec.ValidationError:
        raise _NoPage(
            f"there is no list of records at {path}; correct pages.records in its file"
        ) from None
    return [bytes(record) for record in listed]


def _text_at(content: bytes, path: str) -> str | None:
    """Return a text or whole number as text; None where there is none."""
    found = _raw_at(content, path)
    value = None if found is None else msgspec.json.decode(found)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) or None


def _raw_at(content: bytes, path: str) -> bytes | None:
    """Return the bytes of the value at a path, as they came."""
    found = content
    for step in steps_of(path):
        try:
            if isinstance(step, str):
                value = msgspec.json.decode(found, type=dict[str, msgspec.Raw]).get(step)
            else:
                value = msgspec.json.decode(found, type=list[msgspec.Raw])[step]
        except (msgspec.ValidationError, IndexError):
            return None
        if value is None:
            return None
        found = bytes(value)
    return found
