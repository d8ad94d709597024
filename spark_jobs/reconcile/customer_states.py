"""Store the batch fold's state of each customer at the end of a day, independent of the stream.

A day's rows are one commit; each row names the offsets it covers and its features version. A fold
may start from any earlier day of today's features version; the days between are folded without
output. Without one it starts at the beginning of the archive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch import lake
from fraudwatch.adapters.lake.commit import commit
from fraudwatch.domain.reconciliation.day_cut import DayCut, Ends, ends_from, ends_text, is_before
from spark_jobs.days import Days, replace_days

KEPT_DAYS: Final = 8
_TABLE: Final = f"{lake.DATABASE}.{lake.CORE_CUSTOMER_STATES}"


@dataclass(frozen=True, slots=True)
class Base:
    """Start of a fold: the end of a stored day, or the beginning of the archive."""

    day: date | None = None
    ends: Ends = field(default_factory=dict)

    def states(self, spark: SparkSession) -> DataFrame:
        """Read ``customer_token`` and ``state`` at that day's end."""
        kept = spark.table(_TABLE).where(F.col("state_on") == F.lit(self.day).cast("date"))
        return kept.select("customer_token", "state")


def newest_base(spark: SparkSession, day: date, cut: DayCut, features_version: str) -> Base:
    """Find the latest stored day before the cut with this features version."""
    known = (
        spark.table(_TABLE)
        .where((F.col("state_on") < F.lit(day)) & (F.col("features_version") == features_version))
        .select("state_on", "ends")
        .distinct()
        .orderBy(F.desc("state_on"))
        .collect()
    )
    for row in known:
        if is_before(ends := ends_from(row.ends), cut.starts):
            return Base(row.state_on, ends)
    return Base()


def end_of_day(folded: DataFrame, initial: DataFrame) -> DataFrame:
    """Merge every customer's state: the folded one where there is one, else the initial one."""
    named = F.col("state").isNotNull() & F.col("customer_token").isNotNull()
    changed = folded.where(named).select("customer_token", "state")
    return changed.unionByName(initial.join(changed, "customer_token", "left_anti"))


def save_states(states: DataFrame, day: date, ends: Ends, features_version: str) -> None:
    """Replace the stored states of this day, and delete those of expired days.

    Raises:
        LakeBusy: concurrent writers kept winning; the table was not changed by this run.
    """
    spark = states.sparkSession
    rows = states.select(
        "customer_token",
        "state",
        F.lit(features_version).alias("features_version"),
        F.lit(ends_text(ends)).alias("ends"),
        F.lit(day).alias("state_on"),
    )
    replace_days(rows, _TABLE, "state_on", Days(day, day))
    newest = spark.table(_TABLE).agg(F.max("state_on")).first()
    oldest = (newest[0] if newest and newest[0] else day) - timedelta(days=KEPT_DAYS)
    statement = f"DELETE FROM {_TABLE} WHERE state_on <= DATE'{oldest}'"  # noqa: S608  our name, a day
    commit(lambda: spark.sql(statement), _TABLE)
