"""Join training rows from the lake: purchases, their labels and their feature vectors.

Vectors are those of core_features (the fold over the archived log) plus point-in-time view
features. Purchases that are only in the daily extract have no offset in the log, so no features:
they count in views and labels, and are not trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final

from fraudwatch import lake
from fraudwatch.adapters.lake.core_rows import FROM_LOG
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.purchase import PaymentStatus
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.training.downsampling import Sample
from fraudwatch.domain.training.label_history import LabelChange, label_changes
from fraudwatch.domain.training.label_truth import LeftOut
from spark_jobs.recorded_verdicts import recorded_columns

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from spark_jobs.train.pinned_tables import PinnedTables

# Resolution of the share of genuine purchases that is kept.
_DRAWS: Final = 1_000_000


def load_label_changes(labels: DataFrame, until_ms: int) -> list[LabelChange]:
    """Load the history of each purchase's label, from labels known before an instant."""
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


def count_labels_by_source(labels: DataFrame, until_ms: int) -> dict[str, int]:
    """Count the labels known before an instant, by source and value: what a training learns from.

    A won dispute and friendly fraud are genuine: the card holder paid, and the model is about
    purchases by others.
    """
    counted = labels.where(f"known_at_ms < {until_ms}").groupBy("source", "verdict").count()
    rows = sorted(counted.collect())
    return {f"{row['source']} {row['verdict']}": row["count"] for row in rows}


def training_rows(tables: PinnedTables, views: DataFrame, days: Sequence[date]) -> DataFrame:
    """Join one row for each purchase of the log in these days that has features."""
    from pyspark.sql import functions as F  # noqa: N812  its customary name

    def of_days(table: str) -> DataFrame:
        return tables.frame(table).where(F.col("event_on").between(*map(F.lit, days)))

    features = of_days(lake.CORE_FEATURES).where(F.col("features_version") == features_version())
    purchases = of_days(lake.CORE_TRANSACTIONS).where(F.col("origin") == FROM_LOG)

    verdicts = of_days(lake.CORE_VERDICTS).select(*recorded_columns())
    return (
        features.select("transaction_id", "features", "event_on")
        .join(
            purchases.select(
                "transaction_id",
                "event_at_ms",
                F.coalesce("card_token", "customer_token").alias("card"),
                F.coalesce("customer_token", "card_token").alias("customer"),
                "amount_eur_cents",
                "payment_status",
                "channel",
                "category",
                "merchant_country",
            ),
            "transaction_id",
        )
        .join(views, "transaction_id")
        .join(verdicts, "transaction_id", "left")
    )


def with_labels(rows: DataFrame, truths: Mapping[str, LabelValue]) -> DataFrame:
    """Add ``is_fraud``, and drop the purchases whose truth is unknown."""
    return known_rows(with_truth(rows, truths))


def known_rows(rows: DataFrame) -> DataFrame:
    """Select the rows that are fraud or genuine, from those of :func:`with_truth`."""
    return rows.where("left_out IS NULL").drop(
        "left_out", "is_declined", "outcome", "payment_status"
    )


def with_truth(rows: DataFrame, truths: Mapping[str, LabelValue]) -> DataFrame:
    """Add ``is_fraud``, or why it is unknown: ``left_out``; and whether we declined the purchase.

    The rule is :func:`~fraudwatch.domain.training.label_truth.truth_of`, as columns.
    """
    from pyspark.sql import functions as F  # noqa: N812  its customary name

    spark = rows.sparkSession
    labels = spark.createDataFrame(
        [(name, str(truth)) for name, truth in truths.items()],
        "transaction_id string, truth string",
    )
    joined = rows.join(F.broadcast(labels), "transaction_id", "left")
    truth, no = F.col("truth"), F.lit(False)
    is_declined = F.coalesce(F.col("outcome") == str(Outcome.DECLINE), no)
    is_paid = F.coalesce(F.col("payment_status") == str(PaymentStatus.APPROVED), no)
    left_out = (
        F.when(truth == str(LabelValue.UNSURE), str(LeftOut.UNSURE))
        .when(truth.isNotNull(), None)
        .when(is_declined, str(LeftOut.DECLINED_UNLABELLED))
        .when(~is_paid, str(LeftOut.FAILED_UNLABELLED))
    )
    is_fraud = F.when(left_out.isNull(), F.coalesce(truth == str(LabelValue.FRAUD), no))
    columns = {"is_fraud": is_fraud, "left_out": left_out, "is_declined": is_declined}
    return joined.withColumns(columns).drop("truth")


def downsample(rows: DataFrame, share: Sample) -> DataFrame:
    """Keep all frauds and an even share of the genuine purchases, each with its weight."""
    from pyspark.sql import functions as F  # noqa: N812  its customary name

    place = F.pmod(F.xxhash64("transaction_id"), F.lit(_DRAWS))
    kept = rows.where(F.col("is_fraud") | (place < int(share.genuine_ratio * _DRAWS)))
    weight = F.when(F.col("is_fraud"), F.lit(1.0)).otherwise(F.lit(share.genuine_weight))
    return kept.withColumn("weight", weight)
