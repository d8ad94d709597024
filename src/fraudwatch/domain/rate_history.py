"""Exchange rates that a central bank publishes: rows by day, and where a currency's rates end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

ENDED: Final = "none"
"""In place of units: from this day on the currency has no rate."""
UNSTATED: Final = "unstated"
"""Source of a row whose file names none."""
# A published table pauses for weekends and holidays: five days at most, around Easter.
LONGEST_PAUSE_DAYS: Final = 7


class RateRow(NamedTuple):
    """Row of a rate file; ``units`` is a decimal number, or :data:`ENDED`."""

    valid_on: str
    currency: str
    units: str
    source: str


@dataclass(frozen=True, slots=True)
class PublishedHistory:
    """Published rates by currency, each a day and the units of one euro, in order of day."""

    source: str
    days: Sequence[str]
    rates: Mapping[str, Sequence[tuple[str, str]]]

    def rows(self) -> Iterator[RateRow]:
        """Yield the rates as rows, by currency and day.

        A rate is valid until the next. Where the table goes on for more than a week without a
        currency, which was given up or suspended, its rates end: an old one would be a guess.
        """
        for currency in sorted(self.rates):
            following = [day for day, _ in self.rates[currency][1:]]
            for (day, units), until in zip(
                self.rates[currency], [*following, self.days[-1]], strict=True
            ):
                yield RateRow(day, currency, units, self.source)
                end = date.fromisoformat(day) + timedelta(days=LONGEST_PAUSE_DAYS)
                if end < date.fromisoformat(until):
                    yield RateRow(end.isoformat(), currency, ENDED, self.source)

    def jumps(self, factor: float) -> Iterator[tuple[str, tuple[str, str], tuple[str, str]]]:
        """Yield currency, rate and next rate where a rate changes by more than a factor at once."""
        for currency in sorted(self.rates):
            for before, after in pairwise(self.rates[currency]):
                pause = date.fromisoformat(after[0]) - date.fromisoformat(before[0])
                is_continuous = pause.days <= LONGEST_PAUSE_DAYS
                if is_continuous and not is_within(factor, before[1], after[1]):
                    yield currency, before, after


def is_within(factor: float, units: str, other: str) -> bool:
    """Return whether two rates differ by no more than a factor, either way."""
    return 1 / factor <= float(units) / float(other) <= factor
