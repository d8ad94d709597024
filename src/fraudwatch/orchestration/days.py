"""Which days a run has to do: said by a person, by an event, or by the clock.

A run that a person or an event started has no data interval, so nothing below asks the wall clock
or the logical date: a run's own ``run_after`` decides, and a retry finds the same days again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

MOST_DAYS = 31
MERGED_AGAIN_DAYS = 2
"""What came late for these days before the closed one is merged with the daily run."""

_DAY = timedelta(days=1)


class DaysRefused(ValueError):
    """The days asked for cannot be done; another try would say the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is known of a run before it begins."""

    today: date
    """The UTC day in which it is due; only days before it are closed."""
    params: Mapping[str, str | None]
    events: tuple[str, ...] = ()
    is_daily: bool = False
    interval_day: date | None = None
    """The day that its data interval covers, where it has one."""


def days_to_do(asked: Asked) -> list[date]:
    """The days, oldest first.

    Raises:
        DaysRefused: they contradict each other, are too many, or not closed yet.
    """
    days = _by_a_person(asked.params) or _by_events(asked)
    if not days:
        closed = asked.interval_day or asked.today - _DAY
        before = MERGED_AGAIN_DAYS if asked.is_daily else 0
        days = _span(closed - before * _DAY, closed)
    if days[-1] >= asked.today:
        raise DaysRefused(
            f"{days[-1]} is not over yet (UTC), so its books would be read half written; nothing "
            f"was started: ask for days before {asked.today}"
        )
    if len(days) > MOST_DAYS:
        raise DaysRefused(
            f"{len(days)} days were asked for, and one run does at most {MOST_DAYS}; nothing was "
            "started: ask for less at once, or use a backfill"
        )
    return days


def _by_events(asked: Asked) -> list[date]:
    """The announced days, and the closed ones behind the first of them.

    Of events that come within moments Airflow hands a run only the first (seen in 3.3.2); the
    others would wait for the next one, a day later. Days end in order, so all these have ended.
    """
    named = sorted({date.fromisoformat(text) for text in asked.events})
    if not named:
        return []
    all_since = _span(named[0], max(named[-1], asked.today - _DAY))
    return all_since if len(all_since) <= MOST_DAYS else named


def _by_a_person(params: Mapping[str, str | None]) -> list[date]:
    day, first, last = params.get("day"), params.get("from"), params.get("until")
    if day and (first or last):
        raise DaysRefused("day and from/until were both given; nothing was started: give one")
    if bool(first) != bool(last):
        raise DaysRefused("of from and until only one was given; nothing was started: give both")
    days = (day or first, day or last)
    if not days[0] or not days[1]:
        return []
    start, end = (_day(text) for text in days if text)
    if end < start:
        raise DaysRefused(f"until {end} lies before from {start}; nothing was started: turn them")
    return _span(start, end)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise DaysRefused(
            "a day was given that no calendar has; nothing was started: write it as 2026-11-20"
        ) from error


def _span(start: date, end: date) -> list[date]:
    return [start + n * _DAY for n in range((end - start).days + 1)]


def ranges_of(days: Iterable[date]) -> list[tuple[date, date]]:
    """The same days as stretches without a gap, so that a job is not asked for days between."""
    ranges: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if ranges and day - ranges[-1][1] == _DAY:
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges
