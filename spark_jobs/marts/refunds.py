"""Add to purchases what was given back of them."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  its customary name


def with_refunds(purchases: DataFrame, refunds: DataFrame) -> DataFrame:
    """Add ``refunded_eur_cents``: the sum of a purchase's refunds, at most its amount.

    A refund counts on its purchase's day, and not at all where the lake has no such purchase.
    """
    given_back = refunds.groupBy("transaction_id").agg(
        F.sum("amount_eur_cents").alias("given_back_eur_cents")
    )
    known = F.coalesce("given_back_eur_cents", F.lit(0).cast("bigint"))
    return (
        purchases.join(given_back, "transaction_id", "left")
        .withColumn("refunded_eur_cents", F.least(known, F.col("amount_eur_cents")))
        .drop("given_back_eur_cents")
    )
