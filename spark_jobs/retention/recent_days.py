"""Find days before a table's retention whose purchases were scored within it, as by a replay.

Rows are partitioned by the day of the event, or of the label. Deleted by that day alone, a file of
an earlier year would go in the night after its replay. The days are those of stored verdicts, so
what was never scored (refused, too late) goes by its own day.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch import lake

EVENT_DAY: Final = "event_on"
LABEL_DAY: Final = "known_on"


def days_decided_since(spark: SparkSession, column: str, first: date) -> list[date]:
    """Return the days before ``first`` with a purchase that was scored on that day or later.

    None of another column than the day of the event or of the label.
    """
    if column not in (EVENT_DAY, LABEL_DAY):
        return []
    since_ms = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp() * 1000)
    # A label is never known before the event, so that one condition prunes both tables.
    scored = spark.table(f"{lake.DATABASE}.{lake.CORE_VERDICTS}").where(
        (F.col(EVENT_DAY) < F.lit(first)) & (F.col("decided_at_ms") >= since_ms)
    )
    if column == LABEL_DAY:
        labels = spark.table(f"{lake.DATABASE}.{lake.CORE_LABELS}")
        old = labels.where(F.col(LABEL_DAY) < F.lit(first))
        scored = old.join(scored.select("transaction_id"), "transaction_id", "left_semi")
    return sorted(row[0] for row in scored.select(column).distinct().collect())
