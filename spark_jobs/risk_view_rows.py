"""The rows of a risk view out of purchases and labels: DataFrames in, DataFrames out.

What each column means stands in :mod:`fraudwatch.domain.views.catalogue`.
"""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.domain.label import Source, Truth
from fraudwatch.domain.purchase import PaymentStatus
from fraudwatch.domain.views.catalogue import (
    LABEL_DELAY_MS,
    SMOOTHING_PURCHASES,
    VALID_AFTER_MS,
    WINDOW_MS,
    Entity,
)

_SHARED = {
    Entity.MERCHANT: "merchant_customers_30d",
    Entity.DEVICE: "device_customers_30d",
    Entity.IP_NETWORK: "ip_network_customers_30d",
}


def risk_view_rows(purchases: DataFrame, labels: DataFrame, until_ms: int) -> DataFrame:
    """One row an entity, as of the end of an hour; nothing that came later has a part in it."""
    past = purchases.where(F.col("event_at_ms") < until_ms)
    recent = past.where(F.col("event_at_ms") >= until_ms - WINDOW_MS)
    parts = [
        merchants(past, standing_frauds(labels, until_ms), until_ms),
        *(customers_of(recent, entity) for entity in (Entity.DEVICE, Entity.IP_NETWORK)),
        first_seen(past),
    ]
    rows = reduce(lambda a, b: a.unionByName(b, allowMissingColumns=True), parts)
    return rows.withColumns(
        {
            "built_until_ms": F.lit(until_ms).cast("bigint"),
            "valid_from_ms": F.lit(until_ms + VALID_AFTER_MS).cast("bigint"),
        }
    )


def standing_frauds(labels: DataFrame, until_ms: int) -> DataFrame:
    """The transactions that were known to be fraud by then.

    The same rule as :func:`~fraudwatch.domain.labelled.standing_truths`, ties included.
    """
    known = labels.where(F.col("known_at_ms") < until_ms)
    word = F.max(F.struct("known_at_ms", "verdict")).alias("word")
    sure = (
        known.groupBy("transaction_id", "source")
        .agg(word)
        .where(F.col("word.verdict") != F.lit(str(Truth.UNSURE)))
    )
    is_bank = F.col("source") == F.lit(str(Source.CHARGEBACK))
    last = F.max(F.struct("word.known_at_ms", is_bank.alias("is_bank"), "word.verdict"))
    truths = sure.groupBy("transaction_id").agg(last.alias("last"))
    return truths.where(F.col("last.verdict") == F.lit(str(Truth.FRAUD))).select("transaction_id")


def merchants(past: DataFrame, frauds: DataFrame, until_ms: int) -> DataFrame:
    """Share of fraud, purchases and customers by merchant."""
    reach = past.where(F.col("event_at_ms") >= until_ms - LABEL_DELAY_MS - WINDOW_MS)
    is_recent = F.col("event_at_ms") >= until_ms - WINDOW_MS
    is_approved = F.col("payment_status") == F.lit(str(PaymentStatus.APPROVED))
    is_old_enough = is_approved & (F.col("event_at_ms") < until_ms - LABEL_DELAY_MS)
    is_fraud = F.coalesce("is_fraud", F.lit(False))
    counted = (
        reach.join(frauds.withColumn("is_fraud", F.lit(True)), "transaction_id", "left")
        .groupBy(F.col(Entity.MERCHANT).alias("entity_id"))
        .agg(
            F.count_if(is_old_enough).alias("known"),
            F.count_if(is_old_enough & is_fraud).alias("frauds"),
            F.count_if(is_approved & is_recent).alias("merchant_purchases_30d"),
            F.count_distinct(F.when(is_recent, F.col("customer_token"))).alias(
                _SHARED[Entity.MERCHANT]
            ),
        )
    )
    # Where nobody has a purchase old enough there is no usual ratio; "/" would fail on that.
    usual_ratio = F.try_divide(F.sum("frauds"), F.sum("known")).alias("usual_ratio")
    everybody = counted.agg(usual_ratio)
    smoothed = (F.col("frauds") + F.lit(float(SMOOTHING_PURCHASES)) * F.col("usual_ratio")) / (
        F.col("known") + F.lit(float(SMOOTHING_PURCHASES))
    )
    ratio = F.when(F.col("known") > 0, smoothed).alias("merchant_fraud_ratio_30d")
    return counted.crossJoin(F.broadcast(everybody)).select(
        _named(Entity.MERCHANT),
        "entity_id",
        ratio,
        "merchant_purchases_30d",
        _SHARED[Entity.MERCHANT],
    )


def customers_of(recent: DataFrame, entity: Entity) -> DataFrame:
    """How many customers used each device or network."""
    rows = recent.where(F.col(entity).isNotNull()).groupBy(F.col(entity).alias("entity_id"))
    return rows.agg(F.count_distinct("customer_token").alias(_SHARED[entity])).select(
        _named(entity), "entity_id", _SHARED[entity]
    )


def first_seen(past: DataFrame) -> DataFrame:
    """Since when each customer buys, as far as the lake reaches back."""
    rows = past.groupBy(F.col(Entity.CUSTOMER).alias("entity_id"))
    return rows.agg(F.min("event_at_ms").alias("customer_first_seen_ms")).select(
        _named(Entity.CUSTOMER), "entity_id", "customer_first_seen_ms"
    )


def _named(entity: Entity) -> Column:
    return F.lit(str(entity)).alias("entity")
