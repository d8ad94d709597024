"""Ports of the daily extract: the source, the page cache, and the errors."""

from __future__ import annotations

from typing import Protocol

from fraudwatch.domain.lake.day_extract import SourcePage


class ExtractFailed(Exception):
    """The day was not extracted; its folder is unchanged."""


class SourceUnavailable(ExtractFailed):
    """The source does not answer in time; pages read so far are cached for the next run."""


class NoSuchDay(ExtractFailed):
    """The source has no such day, or it has not ended yet."""


class SourceChanged(ExtractFailed):
    """The source answers in another schema than its contract."""


class SourceMismatch(ExtractFailed):
    """The pages do not match the totals or the checksum that the source declares."""


class DayLocked(ExtractFailed):
    """Another run holds the lock of this day."""


class DaySource(Protocol):
    """Purchases of a source system, by closed day."""

    def page(self, day: str, number: int) -> SourcePage:
        """Return one page of a day, numbered from 1.

        Raises:
            SourceUnavailable: no answer after several tries.
            NoSuchDay: there is no such day, or it has not ended.
            SourceChanged: the answer has another schema.
        """


class PageCache(Protocol):
    """Cache of pages read, so that a killed run resumes; personal data only sealed."""

    def save(self, page: SourcePage) -> None:
        """Store a page until :meth:`clear`."""

    def load(self, number: int) -> SourcePage | None:
        """Return a stored, unaltered page; None otherwise."""

    def clear(self) -> None:
        """Remove every page and the key that opens them."""
