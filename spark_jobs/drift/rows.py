"""What drift is measured on: DataFrames in, columns of numbers out."""

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

# Enough for an index of ten bins to be right to a few thousandths, and small in memory.
SAMPLE_ROWS: Final = 20_000
_VECTOR_BYTES: Final = len(VECTOR_FEATURES) * 8


class Window(NamedTuple):
    """Days of events, both included, and why these."""

    first: date
    last: date
    why: str

    @property
    def said(self) -> str:
        """As the table names it."""
        return f"{self.first} to {self.last}, {self.why}"

    def holds(self, column: str = "event_on") -> Column:
        """Whether a row's day is one of these."""
        return F.col(column).between(F.lit(self.first), F.lit(self.last))


def days_before(day: date, days: int, why: str) -> Window:
    """The days before this one."""
    return Window(day - timedelta(days=days), day - timedelta(days=1), why)


def vectors(served: DataFrame, verdicts: DataFrame, features_version: str) -> DataFrame:
    """The vectors that purchases were judged by, each with its purchase's day, each id once."""
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
    """The same rows again whenever it is asked, whatever order they lie in."""
    chosen = rows.orderBy(F.xxhash64("transaction_id"), "transaction_id").limit(SAMPLE_ROWS)
    return chosen.select(*columns).toArrow()


def matrix(rows: DataFrame) -> Float64s:
    """[purchase, SERVED] of a sample."""
    packed = b"".join(sampled(rows, "value").column("value").to_pylist())
    return np.frombuffer(packed, dtype="<f8").astype(np.float64).reshape(-1, len(VECTOR_FEATURES))


def scores(rows: DataFrame, column: str = "score") -> Float64s:
    """A column of scores of a sample."""
    found = sampled(rows, "transaction_id", column).column(column)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.float64)


def model_scores(verdicts: DataFrame) -> DataFrame:
    """A row a model that spoke: transaction_id, event_on, model, version, score."""
    said = F.explode("model_scores").alias("said")
    return verdicts.select("transaction_id", "event_on", said).select(
        "transaction_id", "event_on", "said.*"
    )


def most_frequent(rows: DataFrame, *columns: str) -> list[Any]:
    """The values of these columns that most rows have, first."""
    counted = rows.groupBy(*columns).count()
    found: list[Any] = counted.orderBy(F.desc("count"), *columns).collect()
    return found


def alerts_of(verdicts: DataFrame) -> Share:
    """How many of the verdicts did not approve."""
    is_alert = F.col("outcome") != F.lit(str(Outcome.APPROVE))
    return _share(verdicts, is_alert, F.lit(True))


def precision_of(judged: DataFrame) -> Share:
    """Of the alerts that an analyst decided, the frauds."""
    is_decided = F.coalesce("is_decided", F.lit(False)) & F.coalesce("is_alert", F.lit(False))
    return _share(judged, F.col("is_fraud"), is_decided)


def recall_of(judged: DataFrame) -> Share:
    """Of the known frauds that were judged, those that were alerts."""
    is_known = F.coalesce("is_fraud", F.lit(False)) & F.col("is_alert").isNotNull()
    return _share(judged, F.col("is_alert"), is_known)


def _share(rows: DataFrame, is_hit: Column, is_of: Column) -> Share:
    found: Any = rows.agg(F.count_if(is_of & is_hit), F.count_if(is_of)).first()
    return Share(found[0], found[1])
