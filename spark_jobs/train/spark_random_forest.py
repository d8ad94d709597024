"""Fit a random forest with Spark ML: the baseline that the public benchmark ranks second.

It accepts no unknown values: they are replaced by the training rows' median of the fold.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s
from spark_jobs.train.vector_tasks import as_lists

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

NAME: Final = "random_forest"
# Spark's trees take time in proportion to their bins; 1,024 as for XGBoost would be minutes.
_MAX_BINS: Final = 256


@dataclass(frozen=True, slots=True)
class ForestScorer:
    """Fitted forest with its columns and the replacement for unknown values."""

    model: Any
    columns: Int64s
    median: Float64s

    def scored(self, rows: DataFrame) -> DataFrame:
        """Score rows: ``transaction_id`` and the forest's probability of fraud."""
        from pyspark.ml.functions import array_to_vector, vector_to_array
        from pyspark.sql import functions as F  # noqa: N812  its customary name

        packed = rows.select("transaction_id", "features", "view_features")
        listed = as_lists(packed, self.columns, partial(known, median=self.median))
        scores: DataFrame = self.model.transform(
            listed.select("transaction_id", array_to_vector(F.col("values")).alias("values"))
        )
        return scores.select("transaction_id", vector_to_array(F.col("probability"))[1].alias(NAME))


def known(values: Float64s, median: Float64s) -> Float64s:
    """Replace unknown values by the median."""
    return np.where(np.isnan(values), median, values)


def fit_random_forest(
    rows: DataFrame, columns: Int64s, median: Float64s, *, trees: int = 30, seed: int = 7
) -> ForestScorer:
    """Fit on rows with ``features``, ``view_features``, ``is_fraud`` and ``weight``."""
    from pyspark.ml.classification import RandomForestClassifier
    from pyspark.ml.functions import array_to_vector
    from pyspark.sql import functions as F  # noqa: N812  its customary name

    packed = rows.select("features", "view_features", "is_fraud", "weight")
    listed = as_lists(packed, columns, partial(known, median=median))
    classifier = RandomForestClassifier(
        featuresCol="values",
        labelCol="label",
        weightCol="weight",
        numTrees=trees,
        maxDepth=8,
        maxBins=_MAX_BINS,
        seed=seed,
    )
    model = classifier.fit(
        listed.select(
            array_to_vector(F.col("values")).alias("values"),
            F.col("is_fraud").cast("double").alias("label"),
            "weight",
        )
    )
    return ForestScorer(model, columns, median)
