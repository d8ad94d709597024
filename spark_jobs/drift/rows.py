"""Read the columns that drift is measured on: DataFrames in, arrays out."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.evaluation.drift import Share
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.topics import FEATURES_VERSION_HEADER, TRANSACTION_ID_HEADER

# Enough for an index of ten bins to be exact to a few thousandths, and small in memory.
SAMPLE_ROWS: Final = 20_000
_VECTOR_BYTES: Final = len(VECTOR_FEATURES) * 8


class DayWindow(NamedTuple):
    """Reference days, both included, and why these."""

    first: date
    last: date
    why: str

    @property
    def label(self) -> str:
        """Text of the table's column ``reference``."""
        return f"{self.first} to {self.last}, {self.why}"

    def contains(self, column: str = "event_on") -> Column:
        """Return a condition: the row's day is one of these."""
        return F.col(column).between(F.lit(self.first), F.lit(self.last))


def days_before(day: date, days: int, why: str) -> DayWindow:
    """Return the window of days before this one."""
    return DayWindow(day - timedelta(days=days), day - timedelta(days=1), why)


def vectors(served: DataFrame, verdicts: DataFrame, features_version: str) -> DataFrame:
    """Select the vectors that purchases were scored by, each id once, with the purchase's day."""
    rows = served.select(
        _header(TRANSACTION_ID_HEADER).alias("transaction_id"),
        _header(FEATURES_VERSION_HEADER).alias("version"),
        "value",
    ).where((F.col("version") == features_version) & (F.length("value") == _VECTOR_BYTES))
    days = verdicts.select("transaction_id", "event_on")
    once = rows.groupBy("transaction_id").agg(F.min("value").alias("value"))
    return once.join(days, "transaction_id")


def _header(name: str) -> Column:
    named = F.filter("headers", lambda one: one["key"] == name)
    return F.try_element_at(named, F.lit(1))["value"].cast("string")


def sampled(rows: DataFrame, *columns: str) -> Any:
    """Draw a deterministic sample by hash of the id, independent of row order."""
    chosen = rows.orderBy(F.xxhash64("transaction_id"), "transaction_id").limit(SAMPLE_ROWS)
    return chosen.select(*columns).toArrow()


def matrix(rows: DataFrame) -> Float64s:
    """Read the vectors of a sample, as [purchase, SERVED]."""
    packed = b"".join(sampled(rows, "value").column("value").to_pylist())
    return np.frombuffer(packed, dtype="<f8").astype(np.float64).reshape(-1, len(VECTOR_FEATURES))


def scores(rows: DataFrame, column: str = "score") -> Float64s:
    """Read a column of scores of a sample."""
    sample = sampled(rows, "transaction_id", column).column(column)
    return np.asarray(sample.to_numpy(zero_copy_only=False), dtype=np.float64)


def model_scores(verdicts: DataFrame) -> DataFrame:
    """Explode model scores to rows: transaction_id, event_on, model, version, score."""
    scores = F.explode("model_scores").alias("one")
    return verdicts.select("transaction_id", "event_on", scores).select(
        "transaction_id", "event_on", "one.*"
    )


def most_frequent(rows: DataFrame, *columns: str) -> list[Any]:
    """Return the values of these columns, most frequent first."""
    counted = rows.groupBy(*columns).count()
    ordered: list[Any] = counted.orderBy(F.desc("count"), *columns).collect()
    return ordered


def alerts_of(verdicts: DataFrame) -> Share:
    """Return the share of verdicts that are alerts."""
    is_alert = F.col("outcome") != F.lit(str(Outcome.APPROVE))
    return _share(verdicts, is_alert, F.lit(True))


def precision_of(scored: DataFrame) -> Share:
    """Return the precision: share of frauds among the alerts that an analyst decided."""
    is_decided = F.coalesce("is_decided", F.lit(False)) & F.coalesce("is_alert", F.lit(False))
    return _share(scored, F.col("is_fraud"), is_decided)


def recall_of(scored: DataFrame) -> Share:
    """Return the recall: share of alerts among the known frauds that have a verdict."""
    is_known = F.coalesce("is_fraud", F.lit(False)) & F.col("is_alert").isNotNull()
    return _share(scored, F.col("is_alert"), is_known)


def _share(rows: DataFrame, is_hit: Column, is_of: Column) -> Share:
    counts: Any = rows.agg(F.count_if(is_of & is_hit), F.count_if(is_of)).first()
    return Share(counts[0], counts[1])
