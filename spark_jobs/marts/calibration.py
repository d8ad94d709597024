"""Mart ``out_calibration``: frauds that the model expected, and those that became known."""

from __future__ import annotations

from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  its customary name

from spark_jobs.marts.customers import by_day_and_source
from spark_jobs.marts.sums import count_where

# Lower bounds of the probability of fraud; most purchases are below the second.
BANDS: Final = (0.0, 0.001, 0.005, 0.01, 0.05, 0.1, 0.3, 0.6)


def calibration(scored: DataFrame) -> DataFrame:
    """Compute one row a calibration, band of probability, source and day.

    Verdicts without a calibrated model have none: their score is no probability.
    """
    is_fraud = F.col("is_fraud")
    probability = F.col("probability")
    band = F.lit(None).cast("double")
    for bound in BANDS:
        band = F.when(probability >= bound, bound).otherwise(band)
    with_band = scored.where(probability.isNotNull()).withColumn("probability_from", band)
    counts = {
        "scored": F.count("*"),
        "expected_fraud": F.sum(probability),
        "known_fraud": count_where(is_fraud),
        "known_genuine": count_where(~is_fraud),
    }
    return by_day_and_source(with_band, ("calibration", "probability_from"), counts)
