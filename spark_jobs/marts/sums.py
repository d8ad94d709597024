"""How marts count: sums that stay NULL where nothing could be counted."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812  its customary name


def count_where(condition: Column) -> Column:
    """How many rows fulfil it; 0 is none."""
    return F.count_if(F.coalesce(condition, F.lit(col=False)))


def count_known(condition: Column) -> Column:
    """How many rows fulfil it; NULL when it can be told of no row."""
    return F.sum(condition.cast("bigint"))


def cents_where(condition: Column) -> Column:
    """The money of the rows that fulfil it; 0 is none."""
    is_counted = F.coalesce(condition, F.lit(col=False))
    return F.sum(F.when(is_counted, F.col("amount_eur_cents")).otherwise(0))


def ratio(part: Column, whole: Column) -> Column:
    """A share; of nothing it is unknown."""
    return F.when(whole > 0, part / whole)
