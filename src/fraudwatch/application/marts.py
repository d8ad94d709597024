"""Reading reports: which there are, and rows of one of them by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from fraudwatch.lake import REPORT_DAYS


class LakeUnavailable(RuntimeError):
    """The lake's SQL server cannot be asked now."""


class UnknownReport(ValueError):
    """There is no report of that name."""


class ReportReader(Protocol):
    """Where reports are read."""

    def rows(self, asked: ReportQuery) -> ReportRows:
        """The rows asked for, newest day first.

        Raises:
            LakeUnavailable: the server is away, refuses the login or the question.
        """


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """One report, some days of it (both included), so many rows; checked, so it can be trusted."""

    table: str
    first: date | None = None
    last: date | None = None
    limit: int = 100

    def __post_init__(self) -> None:
        """Refuse what no report answers to: the name goes into a statement.

        Raises:
            UnknownReport: no such table.
            ValueError: there is no day or no row to show.
        """
        if self.table not in REPORT_DAYS:
            raise UnknownReport(f"no report {self.table!r}; there are {', '.join(REPORT_DAYS)}")
        if self.first and self.last and self.last < self.first:
            raise ValueError("--until lies before --from, so there is no day to show")
        if self.limit < 1:
            raise ValueError("--limit must be 1 or more")

    @property
    def day_column(self) -> str:
        """The column that says a row's day."""
        return REPORT_DAYS[self.table]


@dataclass(frozen=True, slots=True)
class ReportRows:
    """Some rows of a report; unknown is None."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
