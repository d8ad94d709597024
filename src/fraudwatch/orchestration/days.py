"""Resolve the days that a run processes: from its form, from events, or from its schedule.

A run that a person or an event started has no data interval, so nothing below uses the wall clock
or the logical date: the run's own ``run_after`` decides, and a retry resolves the same days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

MAX_DAYS = 31
REMERGED_DAYS = 2
"""The daily run merges late purchases of this many days before the closed one."""

_DAY = timedelta(days=1)


class InvalidDays(ValueError):
    """The requested days are invalid; a retry would give the same error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Everything that decides the days of a run."""

    today: date
    """The UTC day in which it is due; only days before it are closed."""
    params: Mapping[str, str | None]
    events: tuple[str, ...] = ()
    is_daily: bool = False
    interval_day: date | None = None
    """The day that its data interval covers, where it has one."""


def resolve_days(request: RunRequest) -> list[date]:
    """Resolve the days of a run, oldest first.

    Raises:
        InvalidDays: they contradict each other, are too many, or not closed yet.
    """
    days = _days_of_form(request.params) or _days_of_events(request)
    if not days:
        closed = request.interval_day or request.today - _DAY
        before = REMERGED_DAYS if request.is_daily else 0
        days = _span(closed - before * _DAY, closed)
    if days[-1] >= request.today:
        raise InvalidDays(
            f"{days[-1]} is not over yet (UTC), so its extract would be incomplete; nothing was "
            f"started: request days before {request.today}"
        )
    if len(days) > MAX_DAYS:
        raise InvalidDays(
            f"{len(days)} days were requested, and a run processes at most {MAX_DAYS}; nothing was "
            "started: request fewer at once, or use a backfill"
        )
    return days


def _days_of_events(request: RunRequest) -> list[date]:
    """Resolve the announced days, and the closed days after the first of them.

    Of events that arrive together, Airflow gives a run only the first (observed in 3.3.2); the
    others would wait for the next one, a day later. Days close in order, so all these are closed.
    """
    announced = sorted({date.fromisoformat(text) for text in request.events})
    if not announced:
        return []
    all_since = _span(announced[0], max(announced[-1], request.today - _DAY))
    return all_since if len(all_since) <= MAX_DAYS else announced


def _days_of_form(params: Mapping[str, str | None]) -> list[date]:
    day, first, last = params.get("day"), params.get("from"), params.get("until")
    if day and (first or last):
        raise InvalidDays("day and from/until were both given; nothing was started: give one")
    if bool(first) != bool(last):
        raise InvalidDays("only one of from and until was given; nothing was started: give both")
    days = (day or first, day or last)
    if not days[0] or not days[1]:
        return []
    start, end = (_day(text) for text in days if text)
    if end < start:
        raise InvalidDays(f"until {end} is before from {start}; nothing was started: swap them")
    return _span(start, end)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidDays(
            "a given day is not in the calendar; nothing was started: write it as 2026-11-20"
        ) from error


def _span(start: date, end: date) -> list[date]:
    return [start + n * _DAY for n in range((end - start).days + 1)]


def ranges_of(days: Iterable[date]) -> list[tuple[date, date]]:
    """Group days into ranges without gaps, so that a job processes no day in between."""
    ranges: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if ranges and day - ranges[-1][1] == _DAY:
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges
