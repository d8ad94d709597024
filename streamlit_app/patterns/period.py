"""Period of the patterns page, and the period of the same length before; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

LENGTHS_DAYS: Final = (1, 7, 30)
_DEFAULT_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Period:
    """A number of UTC days up to now, including today."""

    days: int
    now: datetime

    @property
    def today(self) -> date:
        """Current UTC day."""
        return self.now.astimezone(UTC).date()

    @property
    def current(self) -> tuple[date, ...]:
        """Days of the period, oldest first; the last is today."""
        return _days_until(self.today, self.days)

    @property
    def before(self) -> tuple[date, ...]:
        """Days of the period before, oldest first."""
        return _days_until(self.today - timedelta(days=self.days), self.days)

    @property
    def starts_at(self) -> datetime:
        """Start of the period."""
        return _midnight(self.current[0])

    @property
    def before_starts_at(self) -> datetime:
        """Start of the period before."""
        return _midnight(self.before[0])

    @property
    def before_ends_at(self) -> datetime:
        """Time in the period before that corresponds to now."""
        return self.now - timedelta(days=self.days)

    @property
    def words(self) -> str:
        """Name of the period within a sentence."""
        return "today" if self.days == 1 else f"the last {self.days} days"

    @property
    def before_words(self) -> str:
        """Name of the period before within a sentence."""
        return "yesterday" if self.days == 1 else f"the {self.days} days before"


def parse_length(text: str | None) -> int:
    """Parse the length from the address; the default replaces an invalid one."""
    lengths = {str(days): days for days in LENGTHS_DAYS}
    return lengths.get(text or "", _DEFAULT_DAYS)


def length_words(days: int) -> str:
    """Label of the button for a length."""
    return "Today" if days == 1 else f"{days} days"


def _days_until(last: date, days: int) -> tuple[date, ...]:
    return tuple(last - timedelta(days=back) for back in reversed(range(days)))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
