"""Mart ``out_rule_performance``: hits and precision of each rule, and alerts it alone caused."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  its customary name

from spark_jobs.marts.customers import by_day_and_source
from spark_jobs.marts.judged import is_decided
from spark_jobs.marts.sums import count_where, ratio


def rule_performance(scored: DataFrame) -> DataFrame:
    """Compute one row a rule, source and day; a rule without hits has none."""
    hits = (
        scored.withColumn("is_sole", F.size("rules") == 1)
        .withColumn("hit", F.explode("rules"))
        .withColumn("rule", F.col("hit.rule"))
    )
    is_fraud = F.col("is_fraud")
    counts = {
        "hits": F.count("*"),
        "hits_known_fraud": count_where(is_fraud),
        "hits_known_genuine": count_where(~is_fraud),
        "hits_decided": count_where(is_decided()),
        "hits_decided_fraud": count_where(is_decided() & is_fraud),
        "points": F.sum("hit.points"),
        "sole_hit_alerts": count_where(F.col("is_alert") & F.col("is_sole")),
    }
    counted = by_day_and_source(hits, ("rule",), counts)
    precision = ratio(F.col("hits_decided_fraud"), F.col("hits_decided"))
    return counted.withColumn("precision_ratio", precision)
