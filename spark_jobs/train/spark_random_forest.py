"""A random forest by Spark's own machine learning: the rival that the public benchmark ranks next.

It takes no unknown values: they enter as the training rows' median, learned inside the fold.
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
_MOST_BINS: Final = 256


@dataclass(frozen=True, slots=True)
class ForestScorer:
    """A fitted forest, the columns it takes and what the unknown counts as."""

    model: Any
    columns: Int64s
    median: Float64s

    def scored(self, rows: DataFrame) -> DataFrame:
        """``transaction_id`` and the forest's probability of fraud."""
        from pyspark.ml.functions import array_to_vector, vector_to_array
        from pyspark.sql import functions as F  # noqa: N812  its customary name

        packed = rows.select("transaction_id", "features", "told")
        listed = as_lists(packed, self.columns, partial(known, median=self.median))
        found: DataFrame = self.model.transform(
            listed.select("transaction_id", array_to_vector(F.col("values")).alias("values"))
        )
        return found.select("transaction_id", vector_to_array(F.col("probability"))[1].alias(NAME))


def known(values: Float64s, median: Float64s) -> Float64s:
    """The median where a value is unknown."""
    return np.where(np.isnan(values), median, values)


def fit_random_forest(
    rows: DataFrame, columns: Int64s, median: Float64s, *, trees: int = 30, seed: int = 7
) -> ForestScorer:
    """Fit on rows with ``features``, ``told``, ``is_fraud`` and ``weight``."""
    from pyspark.ml.classification import RandomForestClassifier
    from pyspark.ml.functions import array_to_vector
    from pyspark.sql import functions as F  # noqa: N812  its customary name

    packed = rows.select("features", "told", "is_fraud", "weight")
    listed = as_lists(packed, columns, partial(known, median=median))
    classifier = RandomForestClassifier(
        featuresCol="values",
        labelCol="label",
        weightCol="weight",
        numTrees=trees,
        maxDepth=8,
        maxBins=_MOST_BINS,
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
