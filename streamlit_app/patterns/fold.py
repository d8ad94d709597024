"""Tallies summed to what charts show: by group, by day, and by hour of each day; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, TypeVar

from fraudwatch.domain.tally import Dimension, Tally
from streamlit_app.patterns.period import Period
from streamlit_app.patterns.rates import Rate

Key = TypeVar("Key")


class Counts(NamedTuple):
    """What was counted of some purchases."""

    purchases: int = 0
    alerts: int = 0
    declined: int = 0
    alerts_amount_eur_cents: int = 0
    declined_amount_eur_cents: int = 0

    @property
    def rate(self) -> Rate:
        """Alerts among purchases."""
        return Rate(self.alerts, self.purchases)


@dataclass(frozen=True, slots=True)
class Folded:
    """The sums of some days; small, however many tallies they came from."""

    groups: dict[Dimension, dict[str, Counts]] = field(default_factory=dict)
    days: dict[str, Counts] = field(default_factory=dict)
    hours: dict[tuple[str, int], Counts] = field(default_factory=dict)

    @property
    def all(self) -> Counts:
        """All purchases."""
        return total(self.days.values())

    def group(self, dimension: Dimension) -> dict[str, Counts]:
        """By the values of one dimension."""
        return self.groups.get(dimension, {})


def fold(tallies: Iterable[Tally]) -> Folded:
    """Sum up; a tally of one day, dimension and value may come in parts."""
    groups: defaultdict[Dimension, dict[str, Counts]] = defaultdict(dict)
    days: dict[str, Counts] = {}
    hours: dict[tuple[str, int], Counts] = {}
    for tally in tallies:
        counts = Counts(
            tally.purchases,
            tally.alerts,
            tally.declined,
            tally.alerts_amount_eur_cents,
            tally.declined_amount_eur_cents,
        )
        if tally.dimension is Dimension.ALL:
            _add(days, tally.day, counts)
        elif tally.dimension is Dimension.HOUR:
            _add(hours, (tally.day, int(tally.value)), counts)
        else:
            _add(groups[tally.dimension], tally.value, counts)
    return Folded(dict(groups), days, hours)


def merged(one: Folded, other: Folded) -> Folded:
    """The sums of both."""
    groups = {name: dict(counts) for name, counts in one.groups.items()}
    for dimension, values in other.groups.items():
        mine = groups.setdefault(dimension, {})
        for value, counts in values.items():
            _add(mine, value, counts)
    days, hours = dict(one.days), dict(one.hours)
    for day, counts in other.days.items():
        _add(days, day, counts)
    for hour, counts in other.hours.items():
        _add(hours, hour, counts)
    return Folded(groups, days, hours)


def comparable(before: Folded, days: Iterable[date]) -> Folded:
    """The period before if something was counted on every day of it, else nothing.

    A history that begins within it would be compared as if nothing had been bought until then.
    """
    return before if all(day.isoformat() in before.days for day in days) else Folded()


def total(counts: Iterable[Counts]) -> Counts:
    """All of them together."""
    return Counts(*map(sum, zip(*counts, strict=True)))


def until_last_full_hour(folded: Folded, days: tuple[date, ...], period: Period) -> Counts:
    """What was counted in these days up to the hour that is running now.

    Half a day beside a whole one would always be "down": so this period and the one before are
    compared up to the same full hour.
    """
    end = days[-1].isoformat(), period.now.hour
    return total(counts for hour, counts in folded.hours.items() if hour < end)


def by_weekday_and_hour(folded: Folded) -> dict[tuple[int, int], Counts]:
    """All Mondays' midnights together, and so on; Monday is 0, hours are UTC."""
    cells: dict[tuple[int, int], Counts] = {}
    for (day, hour), counts in folded.hours.items():
        _add(cells, (date.fromisoformat(day).weekday(), hour), counts)
    return cells


def _add(sums: dict[Key, Counts], key: Key, more: Counts) -> None:
    known = sums.get(key)
    sums[key] = more if known is None else Counts(*map(int.__add__, known, more))
