"""Aggregates of the marts: sums that stay NULL where nothing could be counted."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812  its customary name


def count_where(condition: Column) -> Column:
    """Count the rows that fulfil it; 0 for none."""
    return F.count_if(F.coalesce(condition, F.lit(col=False)))


def count_known(condition: Column) -> Column:
    """Count the rows that fulfil it; NULL when it is unknown for every row."""
    return F.sum(condition.cast("bigint"))


def cents_where(condition: Column) -> Column:
    """Sum the money of the rows that fulfil it; 0 for none."""
    is_counted = F.coalesce(condition, F.lit(col=False))
    return F.sum(F.when(is_counted, F.col("amount_eur_cents")).otherwise(0))


def ratio(part: Column, whole: Column) -> Column:
    """Return the share of part in whole; NULL where the whole is 0."""
    return F.when(whole > 0, part / whole)
