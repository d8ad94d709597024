"""Interval of UTC days: a job's arguments, and the rows that it replaces in a table."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.adapters.lake.commit import commit
from fraudwatch.domain.instants import epoch_ms_of


@dataclass(frozen=True, slots=True)
class Days:
    """Days from the first to the last, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        """Refuse an empty interval.

        Raises:
            ValueError: it ends before it begins.
        """
        if self.last < self.first:
            raise ValueError(
                f"--until {self.last} is before --from {self.first}, so the interval is empty; "
                "give them in order"
            )

    @property
    def from_ms(self) -> int:
        """First instant, inclusive, epoch ms."""
        return _midnight_ms(self.first)

    @property
    def until_ms(self) -> int:
        """Instant after the last, exclusive, epoch ms."""
        return _midnight_ms(self.last + timedelta(days=1))

    def contains(self, column: str) -> Column:
        """Return a condition: the row's day is one of these."""
        return F.col(column).between(F.lit(self.first), F.lit(self.last))

    def not_before(self, column: str) -> Column:
        """Return a condition: the message may concern these days by its day of production.

        There is no upper bound, because history may be sent long after it happened; nothing is
        sent a day before its event.
        """
        return F.col(column) >= F.lit(self.first - timedelta(days=1))

    def whole_weeks(self) -> Days:
        """Return the days from the Monday on or before the first to the Sunday after the last."""
        monday = self.first - timedelta(days=self.first.weekday())
        return Days(monday, self.last + timedelta(days=6 - self.last.weekday()))

    def frame(self, spark: SparkSession, column: str) -> DataFrame:
        """Build a DataFrame of one row a day."""
        count = (self.last - self.first).days + 1
        rows = [(self.first + timedelta(days=number),) for number in range(count)]
        return spark.createDataFrame(rows, f"{column} date")


def add_days(parser: argparse.ArgumentParser) -> None:
    """Add the arguments ``--from`` and ``--until``, both inclusive."""
    for option, name, meaning in (
        ("--from", "first", "first day of purchases, UTC"),
        ("--until", "last", "last day, UTC, inclusive"),
    ):
        parser.add_argument(
            option,
            dest=name,
            type=date.fromisoformat,
            required=True,
            metavar="YYYY-MM-DD",
            help=meaning,
        )


def parse_day_arguments(job: str, purpose: str | None, example: str) -> argparse.Namespace:
    """Parse ``--date`` and ``--json`` of a job that works on one day."""
    return day_parser(job, purpose, example).parse_args()


def day_parser(job: str, purpose: str | None, example: str) -> argparse.ArgumentParser:
    """Build a parser of ``--date`` and ``--json``, to which a job may add its own arguments."""
    parser = argparse.ArgumentParser(
        prog=job,
        description=purpose,
        epilog=example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--date", type=date.fromisoformat, required=True, help="YYYY-MM-DD, UTC")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    return parser


def replace_days(rows: DataFrame, table: str, column: str, days: Days) -> None:
    """Replace the table's rows of these days, all or nothing.

    One Delta commit (as ``replaceWhere``); a row of another day is refused.

    Raises:
        LakeBusy: concurrent writers kept winning.
    """
    commit(lambda: rows.writeTo(table).overwrite(days.contains(column)), table)


def _midnight_ms(day: date) -> int:
    return epoch_ms_of(datetime(day.year, day.month, day.day, tzinfo=UTC))
