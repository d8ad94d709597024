"""Mart ``out_rule_performance``: hits and precision of each rule, and alerts it alone caused."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  its customary name

from spark_jobs.marts.judged import is_decided
from spark_jobs.marts.sums import count_where, ratio


def rule_performance(scored: DataFrame) -> DataFrame:
    """Compute one row a rule and day; a rule without hits has none."""
    hits = scored.withColumn("is_sole", F.size("rules") == 1).withColumn("hit", F.explode("rules"))
    is_fraud = F.col("is_fraud")
    counted = hits.groupBy("event_on", F.col("hit.rule").alias("rule")).agg(
        F.count("*").alias("hits"),
        count_where(is_fraud).alias("hits_known_fraud"),
        count_where(~is_fraud).alias("hits_known_genuine"),
        count_where(is_decided()).alias("hits_decided"),
        count_where(is_decided() & is_fraud).alias("hits_decided_fraud"),
        F.sum("hit.points").alias("points"),
        count_where(F.col("is_alert") & F.col("is_sole")).alias("sole_hit_alerts"),
    )
    precision = ratio(F.col("hits_decided_fraud"), F.col("hits_decided"))
    return counted.withColumn("precision_ratio", precision)
