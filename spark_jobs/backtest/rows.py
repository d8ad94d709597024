"""Join purchases with vectors, live verdicts and labels for a backtest, as pure DataFrames."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Final, NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.application.backtest.purchases import (
    NO_VECTOR,
    NO_VECTOR_RECOMPUTED,
    OTHER_FEATURES,
    OTHER_FEATURES_RECOMPUTED,
    SERVED_VECTOR,
    VECTOR_KINDS,
)
from fraudwatch.domain.evaluation.label_coverage import OUTCOMES, UNSCORED
from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.messages.purchase import PaymentStatus
from fraudwatch.domain.messages.verdict import Mode
from fraudwatch.domain.rules.watch_list_match import WATCH_LIST_SIMILARITY
from fraudwatch.topics import FEATURES_VERSION_HEADER, TRANSACTION_ID_HEADER
from spark_jobs.backtest.batches import CARRIED_COLUMNS, INPUT_TEXTS, NO_CALIBRATION
from spark_jobs.marts.judged import current_labels

_DOUBLE_BYTES: Final = 8
_ID: Final = "transaction_id"


class BacktestSources(NamedTuple):
    """Tables that a backtest reads, limited to its days where they are partitioned by event day."""

    purchases: DataFrame
    archived_vectors: DataFrame  # raw_feature_topic
    features: DataFrame  # core_features
    verdicts: DataFrame
    labels: DataFrame  # those known by now


def rows_to_score(
    sources: BacktestSources, features_version: str, rules: Sequence[str]
) -> DataFrame:
    """Join one row a purchase; vectors, verdict and label are NULL where missing."""
    return (
        _purchases(sources.purchases)
        .join(served_vectors(sources.archived_vectors, features_version), _ID, "left")
        .join(recomputed_vectors(sources.features, features_version), _ID, "left")
        .join(_live(sources.verdicts, rules), _ID, "left")
        .join(current_labels(sources.labels), _ID, "left")
        .withColumns(
            {
                "vector_kind": _vector_kind().cast("tinyint"),
                "is_genuine": F.coalesce(~F.col("is_fraud"), F.lit(col=False)),
                "is_decided": F.coalesce("is_decided", F.lit(col=False)),
                "live_outcome": F.coalesce("live_outcome", F.lit(UNSCORED)).cast("tinyint"),
                "live_score": F.coalesce("live_score", F.lit(float("nan"))),
                "live_rules": F.coalesce("live_rules", F.lit(0)).cast("bigint"),
            }
        )
        .withColumn("is_fraud", F.coalesce("is_fraud", F.lit(col=False)))
        .select(
            *CARRIED_COLUMNS,
            *INPUT_TEXTS,
            WATCH_LIST_SIMILARITY,
            "vector_kind",
            "served",
            "recomputed",
            "anomaly",
            "fraud",
            "probability",
            F.coalesce("calibration", F.lit(NO_CALIBRATION)).alias("calibration"),
        )
    )


def served_vectors(archived: DataFrame, features_version: str) -> DataFrame:
    """Select the vector each purchase was scored by: ``served``, NULL for another features version.

    A purchase that was scored again after a crash has its vector twice.
    """
    is_current = _header(archived, FEATURES_VERSION_HEADER) == F.lit(features_version)
    is_usable = F.coalesce(
        is_current & _has_width(F.col("value"), len(VECTOR_FEATURES)), F.lit(col=False)
    )
    named = archived.select(
        _header(archived, TRANSACTION_ID_HEADER).alias(_ID),
        is_usable.alias("is_usable"),
        F.when(is_usable, F.col("value")).alias("served"),
        "source_partition",
        "source_offset",
    )
    last = F.struct("is_usable", "source_partition", "source_offset")
    return named.groupBy(_ID).agg(
        F.max_by("served", last).alias("served"), F.lit(1).alias("has_vector")
    )


def recomputed_vectors(features: DataFrame, features_version: str) -> DataFrame:
    """Select the vector that today's fold recomputed for each purchase: ``recomputed``."""
    is_usable = (F.col("features_version") == F.lit(features_version)) & _has_width(
        F.col("features"), len(FEATURES)
    )
    first = F.struct("source_partition", "source_offset")
    usable = features.where(is_usable).groupBy(_ID)
    return usable.agg(F.min_by("features", first).alias("recomputed"))


def live_calibrations(verdicts: DataFrame) -> set[str]:
    """Return the calibrations that made the scores of these verdicts."""
    named = verdicts.where(_is_by_model()).select("calibration").distinct().collect()
    return {row.calibration for row in named if row.calibration}


def count_versions(verdicts: DataFrame) -> dict[str, dict[str, int]]:
    """Count the verdicts of each live policy and model version."""
    policies = verdicts.groupBy("policy_version").count().collect()
    scores = verdicts.select(F.explode("model_scores").alias("one"))
    name = F.concat_ws(" ", "one.model", "one.version").alias("name")
    models = scores.groupBy(name).count().collect()
    return {
        "policies": {row[0]: row[1] for row in sorted(policies)},
        "models": {row[0]: row[1] for row in sorted(models)},
    }


def _purchases(purchases: DataFrame) -> DataFrame:
    return purchases.select(
        F.xxhash64(_ID).alias("transaction"),
        # Without a known card, the customer is used in its place.
        F.xxhash64(F.coalesce("card_token", "customer_token")).alias("card"),
        "event_at_ms",
        "amount_eur_cents",
        (F.col("payment_status") == F.lit(str(PaymentStatus.APPROVED))).alias("is_paid"),
        *INPUT_TEXTS,
        WATCH_LIST_SIMILARITY,
    )


def _live(verdicts: DataFrame, rules: Sequence[str]) -> DataFrame:
    hits = (
        F.when(F.array_contains(F.col("rules.rule"), name), F.lit(1 << place)).otherwise(0)
        for place, name in enumerate(rules)
    )
    outcome = reduce(
        lambda cases, place: cases.when(F.col("outcome") == F.lit(str(OUTCOMES[place])), place),
        range(1, len(OUTCOMES)),
        F.when(F.col("outcome") == F.lit(str(OUTCOMES[0])), 0),
    )
    return verdicts.select(
        _ID,
        outcome.alias("live_outcome"),
        F.col("score").alias("live_score"),
        reduce(Column.__add__, hits).alias("live_rules"),
        _model_score("anomaly"),
        _model_score("fraud"),
        # The score of any other mode, or of a time before calibrations, is no probability.
        F.when(_is_by_model() & (F.col("calibration") != NO_CALIBRATION), F.col("score")).alias(
            "probability"
        ),
        "calibration",
    )


def _is_by_model() -> Column:
    return F.col("mode") == F.lit(str(Mode.WITH_MODEL))


def _model_score(model: str) -> Column:
    scores = F.filter("model_scores", lambda one: one["model"] == F.lit(model))
    return F.get(scores, F.lit(0))["score"].alias(model)


def _vector_kind() -> Column:
    """Return the index in ``VECTOR_KINDS``."""
    has_other_vector = F.col("has_vector").isNotNull()

    def place(name: str) -> Column:
        return F.lit(VECTOR_KINDS.index(name))

    recomputed = F.when(has_other_vector, place(OTHER_FEATURES_RECOMPUTED))
    missing = F.when(has_other_vector, place(OTHER_FEATURES))
    return (
        F.when(F.col("served").isNotNull(), place(SERVED_VECTOR))
        .when(F.col("recomputed").isNotNull(), recomputed.otherwise(place(NO_VECTOR_RECOMPUTED)))
        .otherwise(missing.otherwise(place(NO_VECTOR)))
    )


def _header(archived: DataFrame, name: str) -> Column:
    matching = F.filter(archived["headers"], lambda one: one["key"] == F.lit(name))
    return F.get(matching, F.lit(0))["value"].cast("string")


def _has_width(packed: Column, numbers: int) -> Column:
    return F.length(packed) == F.lit(numbers * _DOUBLE_BYTES)
