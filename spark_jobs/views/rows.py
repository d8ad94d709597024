"""Compute the rows of a risk view from purchases and labels, as pure DataFrames.

:mod:`fraudwatch.domain.views.catalogue` defines each column.
"""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.domain.messages.label import LabelValue, Source
from fraudwatch.domain.messages.purchase import PaymentStatus
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.views.catalogue import (
    PLAIN_FRAUD_DAYS,
    SMOOTHING_PURCHASES,
    UNUSUAL_TIMES_MEDIAN,
    VALID_AFTER_MS,
    WINDOW_MS,
    Entity,
    view_columns,
)

_SHARED = {
    Entity.MERCHANT: "merchant_customers_30d",
    Entity.DEVICE: "device_customers_30d",
    Entity.IP_NETWORK: "ip_network_customers_30d",
}


class ViewHour(NamedTuple):
    """Hour of a view: its end, and the age from which a purchase without a label is genuine."""

    until_ms: int
    label_delay_ms: int

    @property
    def mature_until_ms(self) -> int:
        """Return the instant before which purchases are old enough to be labelled."""
        return self.until_ms - self.label_delay_ms

    @property
    def reach_ms(self) -> int:
        """Return the instant from which purchases and their labels count."""
        return self.mature_until_ms - WINDOW_MS


def risk_view_rows(purchases: DataFrame, labels: DataFrame, hour: ViewHour) -> DataFrame:
    """Compute one row an entity, point in time at the end of an hour: later data is ignored."""
    until_ms = hour.until_ms
    past = purchases.where(F.col("event_at_ms") < until_ms)
    recent = past.where(F.col("event_at_ms") >= until_ms - WINDOW_MS)
    parts = [
        merchants(past, known_frauds(labels, until_ms), hour),
        *(customers_of(recent, entity) for entity in (Entity.DEVICE, Entity.IP_NETWORK)),
        first_seen(past),
    ]
    rows = reduce(lambda a, b: a.unionByName(b, allowMissingColumns=True), parts)
    return rows.withColumns(
        {
            "built_until_ms": F.lit(until_ms).cast("bigint"),
            "valid_from_ms": F.lit(until_ms + VALID_AFTER_MS).cast("bigint"),
            "label_delay_ms": F.lit(hour.label_delay_ms).cast("bigint"),
        }
    )


def known_frauds(labels: DataFrame, until_ms: int) -> DataFrame:
    """Select the transactions that were known to be fraud by then.

    The same rule as :func:`~fraudwatch.domain.evaluation.labelled_alerts.current_labels`, ties
    included.
    """
    known = labels.where(F.col("known_at_ms") < until_ms)
    latest = F.max(F.struct("known_at_ms", "verdict")).alias("label")
    sure = (
        known.groupBy("transaction_id", "source")
        .agg(latest)
        .where(F.col("label.verdict") != F.lit(str(LabelValue.UNSURE)))
    )
    is_bank = F.col("source") == F.lit(str(Source.CHARGEBACK))
    last = F.max(F.struct("label.known_at_ms", is_bank.alias("is_bank"), "label.verdict"))
    current = sure.groupBy("transaction_id").agg(last.alias("last"))
    return current.where(F.col("last.verdict") == F.lit(str(LabelValue.FRAUD))).select(
        "transaction_id"
    )


def merchants(past: DataFrame, frauds: DataFrame, hour: ViewHour) -> DataFrame:
    """Aggregate by merchant: purchases, customers, share and streaks of fraud."""
    reach_ms = hour.reach_ms
    plain = plain_frauds(past.where(F.col("event_at_ms") >= reach_ms - WINDOW_MS), frauds)
    flagged = (
        past.where(F.col("event_at_ms") >= reach_ms)
        .join(frauds.withColumn("is_fraud", F.lit(True)), "transaction_id", "left")
        .join(plain.withColumn("is_plain", F.lit(True)), "transaction_id", "left")
        .select("event_at_ms", "customer_token", Entity.MERCHANT, *_flags(hour))
    )
    event = F.col("event_at_ms")
    last_genuine = F.max(F.when(F.col("is_genuine"), event))
    counted = (
        flagged.withColumn("genuine_ms", last_genuine.over(Window.partitionBy(Entity.MERCHANT)))
        .groupBy(F.col(Entity.MERCHANT).alias("entity_id"))
        .agg(
            F.count_if("is_genuine").alias("genuine"),
            F.count_if("is_fraud").alias("frauds"),
            F.count_if(F.col("is_approved") & F.col("is_recent")).alias("merchant_purchases_30d"),
            F.count_distinct(F.when(F.col("is_recent"), F.col("customer_token"))).alias(
                _SHARED[Entity.MERCHANT]
            ),
            *_runs(hour),
        )
    )
    return _with_ratio(counted)


def _flags(hour: ViewHour) -> list[Column]:
    """Classify a purchase at a merchant: recent, approved, genuine, fraud, plain fraud."""
    event = F.col("event_at_ms")
    is_approved = F.col("payment_status") == F.lit(str(PaymentStatus.APPROVED))
    is_mature = is_approved & (event < hour.mature_until_ms)
    is_fraud = F.coalesce("is_fraud", F.lit(False))
    return [
        (event >= hour.until_ms - WINDOW_MS).alias("is_recent"),
        is_approved.alias("is_approved"),
        (is_mature & ~is_fraud).alias("is_genuine"),
        (is_mature & is_fraud).alias("is_fraud"),
        (is_mature & is_fraud & F.coalesce("is_plain", F.lit(False))).alias("is_plain"),
    ]


def _runs(hour: ViewHour) -> list[Column]:
    """Aggregate plain frauds and the last genuine purchase; NULL where there is none."""
    event, is_plain = F.col("event_at_ms"), F.col("is_plain")
    goes_on = F.col("genuine_ms").isNull() | (event > F.col("genuine_ms"))
    end_ms = hour.mature_until_ms
    counts = [
        F.count_if(is_plain & (event >= end_ms - days * DAY_MS)).alias(
            f"merchant_plain_frauds_{days}d"
        )
        for days in PLAIN_FRAUD_DAYS
    ]
    return [
        *counts,
        F.max(F.when(is_plain, event)).alias("merchant_plain_fraud_ms"),
        F.max("genuine_ms").alias("merchant_genuine_ms"),
        F.min(F.when(is_plain & goes_on, event)).alias("merchant_fraud_run_ms"),
    ]


def _with_ratio(counted: DataFrame) -> DataFrame:
    """Turn the merchants' frauds into a ratio, smoothed towards the overall ratio."""
    known = F.col("frauds") + F.col("genuine")
    # Without any mature purchase there is no overall ratio; "/" would fail on that.
    usual = F.try_divide(F.sum("frauds"), F.sum(known)).alias("usual_ratio")
    smoothed = (F.col("frauds") + F.lit(float(SMOOTHING_PURCHASES)) * F.col("usual_ratio")) / (
        known + F.lit(float(SMOOTHING_PURCHASES))
    )
    ratio = F.when(known > 0, smoothed)
    rows = counted.crossJoin(F.broadcast(counted.agg(usual)))
    return rows.withColumns(
        {"entity": F.lit(str(Entity.MERCHANT)), "merchant_fraud_ratio_30d": ratio}
    ).select("entity", "entity_id", *view_columns(Entity.MERCHANT))


def plain_frauds(past: DataFrame, frauds: DataFrame) -> DataFrame:
    """Select known frauds whose amount is not unusual for what their customer paid before."""
    cases = past.join(frauds, "transaction_id").select(
        "transaction_id",
        "customer_token",
        F.col("event_at_ms").alias("fraud_at_ms"),
        F.col("amount_eur_cents").alias("fraud_eur_cents"),
    )
    paid = past.where(F.col("payment_status") == F.lit(str(PaymentStatus.APPROVED)))
    before = F.col("fraud_at_ms") - F.col("event_at_ms")
    amounts = (
        paid.select("customer_token", "event_at_ms", "amount_eur_cents")
        .join(F.broadcast(cases), "customer_token")
        .where((before > 0) & (before <= WINDOW_MS))
        .groupBy("transaction_id")
        .agg(F.median("amount_eur_cents").alias("usual_eur_cents"))
    )
    usual = F.col("usual_eur_cents")
    is_plain = usual.isNull() | (F.col("fraud_eur_cents") <= UNUSUAL_TIMES_MEDIAN * usual)
    return cases.join(amounts, "transaction_id", "left").where(is_plain).select("transaction_id")


def customers_of(recent: DataFrame, entity: Entity) -> DataFrame:
    """Count the customers of each device or network."""
    rows = recent.where(F.col(entity).isNotNull()).groupBy(F.col(entity).alias("entity_id"))
    return rows.agg(F.count_distinct("customer_token").alias(_SHARED[entity])).select(
        _named(entity), "entity_id", _SHARED[entity]
    )


def first_seen(past: DataFrame) -> DataFrame:
    """Find each customer's first purchase, as far as the lake reaches back."""
    rows = past.groupBy(F.col(Entity.CUSTOMER).alias("entity_id"))
    return rows.agg(F.min("event_at_ms").alias("customer_first_seen_ms")).select(
        _named(Entity.CUSTOMER), "entity_id", "customer_first_seen_ms"
    )


def _named(entity: Entity) -> Column:
    return F.lit(str(entity)).alias("entity")
