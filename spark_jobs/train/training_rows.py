"""What there is to learn from in the lake: purchases, what is believed of them, their vectors.

Vectors are those of core_features (the fold over the archived log), completed by what risk views
would have said at the time. Purchases that only the daily extract knows have no place in the log,
so no features: they count in the views and in labels, and are not learned from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final

from fraudwatch import lake
from fraudwatch.adapters.lake.core_rows import FROM_LOG
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.training.downsampling import Sample
from fraudwatch.domain.training.label_history import LabelChange, label_changes

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from spark_jobs.train.pinned_tables import PinnedTables

# How finely the share of genuine purchases that is kept can be set.
_DRAWS: Final = 1_000_000
_FRAUD_MODEL: Final = "fraud"  # as verdicts name them
_ANOMALY_MODEL: Final = "anomaly"


def changes_of(labels: DataFrame, until_ms: int) -> list[LabelChange]:
    """What was believed of purchases and when, from labels known before an instant."""
    from pyspark.sql import functions as F  # noqa: N812  its customary name

    known = labels.where(F.col("known_at_ms") < until_ms).toArrow()
    return label_changes(
        Label(
            schema=LABEL_SCHEMA,
            transaction_id=row["transaction_id"],
            verdict=LabelValue(row["verdict"]),
            source=Source(row["source"]),
            by=row["by"],
            known_at_ms=row["known_at_ms"],
        )
        for row in known.to_pylist()
    )


def rows_of(tables: PinnedTables, told: DataFrame, days: Sequence[date]) -> DataFrame:
    """One row for each purchase of the log from one day to another that has features."""
    from pyspark.sql import functions as F  # noqa: N812  its customary name

    def of_days(table: str) -> DataFrame:
        return tables.frame(table).where(F.col("event_on").between(*map(F.lit, days)))

    features = of_days(lake.CORE_FEATURES).where(F.col("features_version") == features_version())
    purchases = of_days(lake.CORE_TRANSACTIONS).where(F.col("origin") == FROM_LOG)

    def said(model: str) -> Column:
        return F.get(F.filter("model_scores", lambda one: one["model"] == model), 0)

    no_points = F.lit(0).cast("bigint")
    verdicts = of_days(lake.CORE_VERDICTS).select(
        "transaction_id",
        F.col("score").alias("served_score"),
        said(_FRAUD_MODEL)["version"].alias("model_version"),
        said(_FRAUD_MODEL)["score"].alias("model_score"),
        said(_ANOMALY_MODEL)["score"].alias("anomaly_score"),
        F.aggregate("rules", no_points, lambda so_far, rule: so_far + rule["points"]).alias(
            "points"
        ),
    )
    return (
        features.select("transaction_id", "features", "event_on")
        .join(
            purchases.select(
                "transaction_id",
                "event_at_ms",
                F.coalesce("card_token", "customer_token").alias("card"),
                "amount_eur_cents",
                "channel",
                "category",
                "merchant_country",
            ),
            "transaction_id",
        )
        .join(told, "transaction_id")
        .join(verdicts, "transaction_id", "left")
    )


def believed(rows: DataFrame, truths: Mapping[str, LabelValue]) -> DataFrame:
    """With ``is_fraud``; what nobody said anything of counts as genuine, the unsure ones go."""
    from pyspark.sql import functions as F  # noqa: N812  its customary name

    spark = rows.sparkSession
    said = spark.createDataFrame(
        [(name, str(truth)) for name, truth in truths.items()],
        "transaction_id string, truth string",
    )
    joined = rows.join(F.broadcast(said), "transaction_id", "left")
    sure = joined.where(F.col("truth").isNull() | (F.col("truth") != F.lit(str(LabelValue.UNSURE))))
    is_fraud = F.coalesce(F.col("truth") == F.lit(str(LabelValue.FRAUD)), F.lit(False))
    return sure.withColumn("is_fraud", is_fraud).drop("truth")


def drawn(rows: DataFrame, draw: Sample) -> DataFrame:
    """All frauds and an even share of the genuine purchases, each with its weight."""
    from pyspark.sql import functions as F  # noqa: N812  its customary name

    place = F.pmod(F.xxhash64("transaction_id"), F.lit(_DRAWS))
    kept = rows.where(F.col("is_fraud") | (place < int(draw.genuine_ratio * _DRAWS)))
    weight = F.when(F.col("is_fraud"), F.lit(1.0)).otherwise(F.lit(draw.genuine_weight))
    return kept.withColumn("weight", weight)
