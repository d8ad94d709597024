from __future__ import annotations

import pickle

import numpy as np
import pyarrow as pa
import pytest

from fraudwatch.adapters.codecs.log_fold import packed
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.evaluation.ranking import auc
from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.views.catalogue import VIEW_FEATURES
from spark_jobs.train.sklearn_baselines import (
    AutoencoderBaseline,
    IsolationForestBaseline,
    OneClassSvmBaseline,
)
from spark_jobs.train.vector_tasks import Learner, TrainingRows, vectors


def some_rows(count: int, seed: int) -> tuple[Float64s, np.ndarray]:
    """Draw correlated numbers, with outliers in four columns of some rows."""
    random, habits = np.random.default_rng(seed), np.random.default_rng(0).normal(size=(3, 24))
    moves = random.normal(size=(count, 3)) @ habits
    rows = 100.0 + 20.0 * (moves + 0.1 * random.normal(size=(count, 24)))
    is_odd = random.random(count) < 0.02
    rows[is_odd, :4] += 120.0
    rows[:, 4] = np.nan  # unknown to all
    rows[::5, 6] = np.nan  # to some
    rows[:, 5] = 7.0
    return rows, is_odd


@pytest.mark.parametrize(
    "kind", [IsolationForestBaseline, OneClassSvmBaseline, AutoencoderBaseline]
)
def test_a_baseline_ranks_outliers_first(kind: type[Learner]) -> None:
    rows, is_odd = some_rows(2_000, 1)
    fitted = kind().fit(TrainingRows(rows, is_odd, np.ones(len(rows))))
    other, is_odd = some_rows(1_000, 2)
    scores = fitted.score(other)
    assert np.isfinite(scores).all()
    assert auc(scores, is_odd) > 0.9
    # It is pickled to the tasks that score.
    unpickled = pickle.loads(pickle.dumps(fitted))  # noqa: S301  pickled here
    assert unpickled.score(other).tolist() == scores.tolist()


def test_vectors_are_the_folds_part_and_the_views() -> None:
    whole = np.arange(2.0 * len(VECTOR_FEATURES)).reshape(2, -1)
    whole[0, 3] = np.nan
    batch = pa.RecordBatch.from_pydict(
        {
            "features": pa.array(packed(whole[:, : len(FEATURES)]), pa.binary()),
            "view_features": pa.array(packed(whole[:, len(FEATURES) :]), pa.binary()),
        }
    )
    assert np.array_equal(vectors(batch), whole, equal_nan=True)
    assert vectors(batch.slice(0, 0)).shape == (0, len(VECTOR_FEATURES))


def test_vectors_of_other_features_are_refused() -> None:
    batch = pa.RecordBatch.from_pydict(
        {
            "features": pa.array(packed(np.zeros((1, 3))), pa.binary()),
            "view_features": pa.array(packed(np.zeros((1, len(VIEW_FEATURES)))), pa.binary()),
        }
    )
    with pytest.raises(ValueError, match="run build_features for these days again"):
        vectors(batch)
