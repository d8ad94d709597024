"""Train XGBoost on Spark: own barrier stage, one worker a task slot, any cluster manager."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import xgboost as xgb

from fraudwatch.adapters.artefacts.xgboost_model import margins
from fraudwatch.domain.arrays import Float64s

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Amounts and ages are long-tailed: few bins would cost a fifth of the precision (measured on the
# public benchmark: 256 bins .743, 1,024 bins .750, exact splits .754, impossible on a cluster).
_MAX_BINS: Final = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class BoosterShape:
    """Shape of the booster; in one task, the same rows and seed give the same trees."""

    trees: int = 150
    depth: int = 4
    learning_rate: float = 0.1
    workers: int = 1
    seed: int = 7


@dataclass(frozen=True, slots=True)
class BoosterScorer:
    """See :class:`~spark_jobs.train.vector_tasks.Scorer`."""

    booster: xgb.Booster

    def score(self, values: Float64s) -> Float64s:
        """Predict the log-odds of fraud as the stream does; unknown values stay missing."""
        self.booster.set_param({"nthread": 1})
        return margins(self.booster, values)


def fit_booster(listed: DataFrame, shape: BoosterShape) -> xgb.Booster:
    """Fit on rows with ``values`` (a list of doubles, NaN unknown), ``is_fraud`` and ``weight``.

    Rows are sorted by ``transaction_id``, so that the same rows give the same trees.
    """
    from pyspark import StorageLevel
    from pyspark.ml.functions import array_to_vector
    from pyspark.sql import functions as F  # noqa: N812  its customary name
    from xgboost.spark import SparkXGBClassifier

    ordered = listed.repartition(shape.workers).sortWithinPartitions("transaction_id")
    rows = ordered.select(
        array_to_vector(F.col("values")).alias("values"),
        F.col("is_fraud").cast("double").alias("label"),
        "weight",
    ).persist(StorageLevel.DISK_ONLY)  # it is read several times
    estimator = SparkXGBClassifier(
        features_col="values",
        label_col="label",
        weight_col="weight",
        num_workers=shape.workers,
        n_estimators=shape.trees,
        max_depth=shape.depth,
        learning_rate=shape.learning_rate,
        max_bin=_MAX_BINS,
        tree_method="hist",
        missing=float("nan"),
        random_state=shape.seed,
    )
    try:
        booster: xgb.Booster = estimator.fit(rows).get_booster()
    finally:
        rows.unpersist()
    return booster
