"""Models fitted and asked inside Spark's tasks: vectors in, one number a purchase out.

A learner that knows nothing of Spark is fitted in one task, on rows in the order of their ids, so
that the same rows make the same model. What it made travels to the scoring tasks as Python objects
of this run, between this job's own processes, and is never kept.
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

_PACKED = ("features", "told")


class Labelled(NamedTuple):
    """Training rows; a genuine purchase stands for as many as its weight says."""

    values: Float64s  # [row, feature of the model], NaN unknown
    is_fraud: np.ndarray[Any, np.dtype[np.bool_]]
    weight: Float64s


class Scorer(Protocol):
    """A fitted model; the higher the number, the more a purchase looks like fraud."""

    def score(self, values: Float64s) -> Float64s:
        """One number a row."""


class Learner(Protocol):
    """A way to fit one, that fits into a task's memory."""

    @property
    def name(self) -> str:
        """As the record names it."""

    def fit(self, rows: Labelled) -> Scorer:
        """Learn from these rows."""


def fit_in_task(rows: DataFrame, learner: Learner, columns: Int64s) -> Scorer:
    """Fit in one task, on rows with ``features``, ``told``, ``is_fraud`` and ``weight``."""

    def fit(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        found = _labelled(list(batches), columns)
        model = pa.array([pickle.dumps(learner.fit(found))], pa.binary())
        yield pa.RecordBatch.from_arrays([model], ["model"])

    ordered = rows.select("transaction_id", *_PACKED, "is_fraud", "weight").repartition(1)
    fitted = ordered.sortWithinPartitions("transaction_id").mapInArrow(fit, "model BINARY")
    scorer: Scorer = pickle.loads(fitted.collect()[0]["model"])  # noqa: S301  made a moment ago
    return scorer


def scored(rows: DataFrame, scorers: Mapping[str, Scorer], columns: Int64s) -> DataFrame:
    """``transaction_id`` and a column of scores for each model, in one pass over the rows."""
    named = dict(scorers)

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        for batch in batches:
            if not batch.num_rows:  # scikit-learn refuses nothing at all
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
    """The same rows with ``values``, a list of doubles, instead of packed bytes: for Spark's ML."""
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
    """[row, SERVED]: the fold's part, then the views'."""
    if not batch.num_rows:
        return np.empty((0, len(VECTOR_FEATURES)))
    parts = [_unpacked(batch.column(name).to_pylist()) for name in _PACKED]
    found = np.concatenate(parts, axis=1)
    if found.shape[1] != len(VECTOR_FEATURES):
        raise ValueError(
            f"a vector of the lake has {found.shape[1]} numbers and today's have "
            f"{len(VECTOR_FEATURES)}; run build_features for these days again"
        )
    return found


def _unpacked(packed: Sequence[bytes]) -> Float64s:
    return np.frombuffer(b"".join(packed), dtype="<f8").reshape(len(packed), -1).astype(np.float64)


def _labelled(batches: Sequence[pa.RecordBatch], columns: Int64s) -> Labelled:
    import pyarrow as pa

    table = pa.Table.from_batches(batches)
    return Labelled(
        vectors(table)[:, columns],
        table.column("is_fraud").to_numpy(zero_copy_only=False).astype(np.bool_),
        table.column("weight").to_numpy().astype(np.float64),
    )
