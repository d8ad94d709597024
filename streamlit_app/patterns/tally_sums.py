"""Sums of tallies by group, by day, and by hour of each day; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, TypeVar

from fraudwatch.domain.tally import Dimension, Tally
from streamlit_app.patterns.period import Period
from streamlit_app.patterns.rates import HitRate

Key = TypeVar("Key")


class PurchaseCounts(NamedTuple):
    """Counts and amounts of some purchases."""

    purchases: int = 0
    alerts: int = 0
    declined: int = 0
    alerts_amount_eur_cents: int = 0
    declined_amount_eur_cents: int = 0

    @property
    def rate(self) -> HitRate:
        """Alert rate."""
        return HitRate(self.alerts, self.purchases)


@dataclass(frozen=True, slots=True)
class TallySums:
    """Sums of some days; small, however many tallies they come from."""

    groups: dict[Dimension, dict[str, PurchaseCounts]] = field(default_factory=dict)
    days: dict[str, PurchaseCounts] = field(default_factory=dict)
    hours: dict[tuple[str, int], PurchaseCounts] = field(default_factory=dict)

    @property
    def all(self) -> PurchaseCounts:
        """Counts of all purchases."""
        return total(self.days.values())

    def group(self, dimension: Dimension) -> dict[str, PurchaseCounts]:
        """Counts by the values of one dimension."""
        return self.groups.get(dimension, {})


def sum_tallies(tallies: Iterable[Tally]) -> TallySums:
    """Sum tallies; one day, dimension and value may come in parts."""
    groups: defaultdict[Dimension, dict[str, PurchaseCounts]] = defaultdict(dict)
    days: dict[str, PurchaseCounts] = {}
    hours: dict[tuple[str, int], PurchaseCounts] = {}
    for tally in tallies:
        counts = PurchaseCounts(
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
    return TallySums(dict(groups), days, hours)


def merged(one: TallySums, other: TallySums) -> TallySums:
    """Add up two sums."""
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
    return TallySums(groups, days, hours)


def comparable(before: TallySums, days: Iterable[date]) -> TallySums:
    """Return the period before if each of its days has tallies, else empty sums.

    A history that starts within it would be compared as if there had been no purchases before.
    """
    return before if all(day.isoformat() in before.days for day in days) else TallySums()


def total(counts: Iterable[PurchaseCounts]) -> PurchaseCounts:
    """Add up counts."""
    return PurchaseCounts(*map(sum, zip(*counts, strict=True)))


def until_last_full_hour(sums: TallySums, days: tuple[date, ...], period: Period) -> PurchaseCounts:
    """Count these days up to the last full hour.

    Half a day compared with a full one would always be "down", so this period and the one before
    are compared up to the same full hour.
    """
    end = days[-1].isoformat(), period.now.hour
    return total(counts for hour, counts in sums.hours.items() if hour < end)


def by_weekday_and_hour(sums: TallySums) -> dict[tuple[int, int], PurchaseCounts]:
    """Counts by weekday and hour; Monday is 0, hours are UTC."""
    cells: dict[tuple[int, int], PurchaseCounts] = {}
    for (day, hour), counts in sums.hours.items():
        _add(cells, (date.fromisoformat(day).weekday(), hour), counts)
    return cells


def _add(sums: dict[Key, PurchaseCounts], key: Key, more: PurchaseCounts) -> None:
    known = sums.get(key)
    sums[key] = more if known is None else PurchaseCounts(*map(int.__add__, known, more))
