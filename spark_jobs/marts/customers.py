"""Group scored purchases by day and source, and count the customers of each row.

A row of few customers may name one of them: readers outside the fraud team get rows of at least ten
(the views ``report_`` in ``hive/migrations``), by week where a day has fewer.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  its customary name

DAY = "event_on"
_WEEK = "week_on"


def by_day_and_source(
    purchases: DataFrame, keys: tuple[str, ...], counts: Mapping[str, Column]
) -> DataFrame:
    """Aggregate by day, source and these columns, with the distinct customers of day and week.

    ``customers_of_week`` counts the Monday to Sunday around the day, as far as it is in
    ``purchases``: give it whole weeks.
    """
    customers = F.count_distinct("customer_token")
    by_day = purchases.groupBy(DAY, "source", *keys).agg(
        customers.alias("customers"), *(count.alias(name) for name, count in counts.items())
    )
    by_week = purchases.groupBy(_week().alias(_WEEK), "source", *keys).agg(
        customers.alias("customers_of_week")
    )
    # NULL is a value of a key: purchases of an unknown category are counted as such.
    is_same = F.col(f"day.{DAY}").between(F.col(f"week.{_WEEK}"), F.date_add(f"week.{_WEEK}", 6))
    for key in ("source", *keys):
        is_same &= F.col(f"day.{key}").eqNullSafe(F.col(f"week.{key}"))
    joined = by_day.alias("day").join(by_week.alias("week"), is_same)
    return joined.select("day.*", "week.customers_of_week")


def _week() -> Column:
    """Return the Monday of a row's week."""
    return F.trunc(DAY, "week")
