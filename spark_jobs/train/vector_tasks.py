"""Fit models and score vectors inside Spark's tasks.

A learner without Spark support is fitted in one task, on rows in the order of their ids, so that
the same rows give the same model. The fitted model is pickled to the scoring tasks of this job's
own processes, and never stored.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

_PACKED = ("features", "view_features")


class TrainingRows(NamedTuple):
    """Training rows; a downsampled genuine purchase has a weight above 1."""

    values: Float64s  # [row, feature of the model], NaN unknown
    is_fraud: np.ndarray[Any, np.dtype[np.bool_]]
    weight: Float64s


class Scorer(Protocol):
    """Fitted model; a higher score means more likely fraud."""

    def score(self, values: Float64s) -> Float64s:
        """Return one score a row."""


class Learner(Protocol):
    """Training algorithm that fits into a task's memory."""

    @property
    def name(self) -> str:
        """Name in the run record."""

    def fit(self, rows: TrainingRows) -> Scorer:
        """Fit on these rows."""


def fit_in_task(rows: DataFrame, learner: Learner, columns: Int64s) -> Scorer:
    """Fit in one task, on rows with ``features``, ``view_features``, ``is_fraud``, ``weight``."""

    def fit(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        training = _training_rows(list(batches), columns)
        model = pa.array([pickle.dumps(learner.fit(training))], pa.binary())
        yield pa.RecordBatch.from_arrays([model], ["model"])

    ordered = rows.select("transaction_id", *_PACKED, "is_fraud", "weight").repartition(1)
    fitted = ordered.sortWithinPartitions("transaction_id").mapInArrow(fit, "model BINARY")
    scorer: Scorer = pickle.loads(fitted.collect()[0]["model"])  # noqa: S301  pickled above by this job
    return scorer


def scored(rows: DataFrame, scorers: Mapping[str, Scorer], columns: Int64s) -> DataFrame:
    """Score rows by several models in one pass: ``transaction_id`` and a column for each model."""
    named = dict(scorers)

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        for batch in batches:
            if not batch.num_rows:  # scikit-learn refuses an empty array
                continue
            values = vectors(batch)[:, columns]
            scores = [pa.array(one.score(values), pa.float64()) for one in named.values()]
            yield pa.RecordBatch.from_arrays(
                [batch.column("transaction_id"), *scores], ["transaction_id", *named]
            )

    schema = ", ".join(["transaction_id STRING", *(f"`{name}` DOUBLE" for name in named)])
    return rows.select("transaction_id", *_PACKED).mapInArrow(score, schema)


def as_lists(
    rows: DataFrame, columns: Int64s, change: Callable[[Float64s], Float64s] | None = None
) -> DataFrame:
    """Unpack vectors to ``values``, a list of doubles, for Spark ML."""
    from pyspark.sql.types import ArrayType, DoubleType, StructField, StructType

    kept = [field for field in rows.schema.fields if field.name not in _PACKED]
    names = [field.name for field in kept]

    def unpack(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        for batch in batches:
            values = vectors(batch)[:, columns]
            values = change(values) if change else values
            ends = np.arange(0, values.size + 1, len(columns), dtype=np.int32)
            lists = pa.ListArray.from_arrays(pa.array(ends), pa.array(values.ravel()))
            yield pa.RecordBatch.from_arrays(
                [*(batch.column(name) for name in names), lists], [*names, "values"]
            )

    listed = StructField("values", ArrayType(DoubleType()))
    return rows.mapInArrow(unpack, StructType([*kept, listed]))


def vectors(batch: pa.RecordBatch | pa.Table) -> Float64s:
    """Unpack vectors as [row, SERVED]: fold features, then view features."""
    if not batch.num_rows:
        return np.empty((0, len(VECTOR_FEATURES)))
    parts = [_unpacked(batch.column(name).to_pylist()) for name in _PACKED]
    unpacked = np.concatenate(parts, axis=1)
    if unpacked.shape[1] != len(VECTOR_FEATURES):
        raise ValueError(
            f"a vector of the lake has {unpacked.shape[1]} numbers and today's have "
            f"{len(VECTOR_FEATURES)}; run build_features for these days again"
        )
    return unpacked


def _unpacked(packed: Sequence[bytes]) -> Float64s:
    return np.frombuffer(b"".join(packed), dtype="<f8").reshape(len(packed), -1).astype(np.float64)


def _training_rows(batches: Sequence[pa.RecordBatch], columns: Int64s) -> TrainingRows:
    import pyarrow as pa

    table = pa.Table.from_batches(batches)
    return TrainingRows(
        vectors(table)[:, columns],
        table.column("is_fraud").to_numpy(zero_copy_only=False).astype(np.bool_),
        table.column("weight").to_numpy().astype(np.float64),
    )
