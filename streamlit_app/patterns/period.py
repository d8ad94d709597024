"""The days that the patterns screen looks at, and the same number of days before; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

LENGTHS_DAYS: Final = (1, 7, 30)
_USUAL_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Period:
    """So many UTC days up to now, today included as far as it has gone."""

    days: int
    now: datetime

    @property
    def today(self) -> date:
        """The day that is still running."""
        return self.now.astimezone(UTC).date()

    @property
    def current(self) -> tuple[date, ...]:
        """The days looked at, oldest first; the last is today."""
        return _days_until(self.today, self.days)

    @property
    def before(self) -> tuple[date, ...]:
        """As many days before them, oldest first."""
        return _days_until(self.today - timedelta(days=self.days), self.days)

    @property
    def starts_at(self) -> datetime:
        """The first midnight of the period."""
        return _midnight(self.current[0])

    @property
    def before_starts_at(self) -> datetime:
        """The first midnight of the period before."""
        return _midnight(self.before[0])

    @property
    def before_ends_at(self) -> datetime:
        """As far into the period before as now is into this one."""
        return self.now - timedelta(days=self.days)

    @property
    def words(self) -> str:
        """What a sentence calls these days."""
        return "today" if self.days == 1 else f"the last {self.days} days"

    @property
    def before_words(self) -> str:
        """What a sentence calls the days before."""
        return "yesterday" if self.days == 1 else f"the {self.days} days before"


def length_asked(text: str | None) -> int:
    """The length that an address asks for; whatever is none of ours is the usual one."""
    lengths = {str(days): days for days in LENGTHS_DAYS}
    return lengths.get(text or "", _USUAL_DAYS)


def length_words(days: int) -> str:
    """What a button says."""
    return "Today" if days == 1 else f"{days} days"


def _days_until(last: date, days: int) -> tuple[date, ...]:
    return tuple(last - timedelta(days=back) for back in reversed(range(days)))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
