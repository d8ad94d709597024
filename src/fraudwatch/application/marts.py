"""Query report tables of the lake by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from fraudwatch.lake import REPORT_DAYS


class MartsUnavailable(RuntimeError):
    """The lake's SQL server cannot be queried now."""


class UnknownReport(ValueError):
    """There is no report of this name."""


class ReportReader(Protocol):
    """Reader of report tables."""

    def rows(self, query: ReportQuery) -> ReportRows:
        """Return the rows of a query, newest day first.

        Raises:
            MartsUnavailable: the server does not answer, or refuses the login or the query.
        """


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """Query of one report: days (both included) and row limit; validated when created."""

    table: str
    first: date | None = None
    last: date | None = None
    limit: int = 100

    def __post_init__(self) -> None:
        """Validate; the table name is put into an SQL statement.

        Raises:
            UnknownReport: no such table.
            ValueError: the range has no day, or the limit no row.
        """
        if self.table not in REPORT_DAYS:
            raise UnknownReport(f"no report {self.table!r}; there are {', '.join(REPORT_DAYS)}")
        if self.first and self.last and self.last < self.first:
            raise ValueError("--until is before --from, so there is no day to show")
        if self.limit < 1:
            raise ValueError("--limit must be 1 or more")

    @property
    def day_column(self) -> str:
        """Column with the day of a row."""
        return REPORT_DAYS[self.table]


@dataclass(frozen=True, slots=True)
class ReportRows:
    """Rows of a report; unknown is None."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
