"""An interval of UTC days, as jobs are asked for it and as they replace it in a table."""

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
    """From the first to the last day, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        """Refuse an interval that holds no day.

        Raises:
            ValueError: it ends before it begins.
        """
        if self.last < self.first:
            raise ValueError(
                f"--until {self.last} lies before --from {self.first}, so there is no day to work "
                "on; give them in order"
            )

    @property
    def from_ms(self) -> int:
        """The first instant, inclusive."""
        return _midnight_ms(self.first)

    @property
    def until_ms(self) -> int:
        """The instant after the last, exclusive."""
        return _midnight_ms(self.last + timedelta(days=1))

    def holds(self, column: str) -> Column:
        """Whether a row's day is one of these."""
        return F.col(column).between(F.lit(self.first), F.lit(self.last))

    def not_before(self, column: str) -> Column:
        """Whether a message was produced on a day on which it may speak of these: no upper end.

        History may be sent long after it happened; and nothing is sent a day before.
        """
        return F.col(column) >= F.lit(self.first - timedelta(days=1))

    def frame(self, spark: SparkSession, column: str) -> DataFrame:
        """One row a day."""
        count = (self.last - self.first).days + 1
        rows = [(self.first + timedelta(days=number),) for number in range(count)]
        return spark.createDataFrame(rows, f"{column} date")


def add_days(parser: argparse.ArgumentParser) -> None:
    """``--from`` and ``--until``, both inclusive."""
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


def asked_for_a_day(job: str, purpose: str | None, example: str) -> argparse.Namespace:
    """``--date`` and ``--json``, of a job that looks at one day."""
    parser = argparse.ArgumentParser(
        prog=job,
        description=purpose,
        epilog=example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--date", type=date.fromisoformat, required=True, help="YYYY-MM-DD, UTC")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    return parser.parse_args()


def replace_days(rows: DataFrame, table: str, column: str, days: Days) -> None:
    """Put these rows in the place of what the table holds of these days: all of it or nothing.

    One commit of Delta (what ``replaceWhere`` does); a row of another day is refused.

    Raises:
        LakeBusy: others kept writing the table.
    """
    commit(lambda: rows.writeTo(table).overwrite(days.holds(column)), table)


def _midnight_ms(day: date) -> int:
    return epoch_ms_of(datetime(day.year, day.month, day.day, tzinfo=UTC))
