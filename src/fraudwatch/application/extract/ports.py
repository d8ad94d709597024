"""What the daily extract asks of its source and of its own notes, and how it may fail."""

from __future__ import annotations

from typing import Protocol

from fraudwatch.domain.lake.day_extract import SourcePage


class ExtractFailed(Exception):
    """A day was not extracted; what lay in its folder before lies there still."""


class SourceUnavailable(ExtractFailed):
    """The source does not answer, or not in time; what was read is kept for the next run."""


class NoSuchDay(ExtractFailed):
    """The source has no such day, or it has not ended yet."""


class SourceChanged(ExtractFailed):
    """The source answers in another shape than the agreed one."""


class Untrue(ExtractFailed):
    """What was read is not what the source says that the day holds."""


class DayTaken(ExtractFailed):
    """Another extract of the same day runs."""


class DaySource(Protocol):
    """The books of a source, by closed day."""

    def page(self, day: str, number: int) -> SourcePage:
        """One page of a day, from 1 on.

        Raises:
            SourceUnavailable: after some tries.
            NoSuchDay: there is none, or not yet.
            SourceChanged: the answer has another shape.
        """


class KeptPages(Protocol):
    """Pages that were read, so that a killed run goes on; personal data only sealed."""

    def keep(self, page: SourcePage) -> None:
        """Keep a page until :meth:`clear`."""

    def kept(self, number: int) -> SourcePage | None:
        """A page that was kept and is unaltered; None otherwise."""

    def clear(self) -> None:
        """Remove every page, and what could open them."""
