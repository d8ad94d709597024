from pathlib import Path

import numpy as np
import pytest

from benchmarks import baseline_query
from benchmarks.baseline_query import BaselineFailed, ensure_forest, scores, vectors
from fraudwatch.domain.models.active_models import ActiveModels


def test_both_baselines_compute_the_scores_of_the_streams_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(baseline_query, "_FITTED_ROWS", 300)
    models = ensure_forest(tmp_path / "models")
    rows = vectors(20, seed=1)
    packed = [row.astype("<f8").tobytes() for row in rows]
    expected = models.evidence(rows).anomaly
    assert expected is not None
    assert np.array_equal(scores(models, packed), expected)
    assert [scores(models, [one])[0] for one in packed] == expected.tolist()
    assert len(set(expected.tolist())) > 1


def test_an_existing_forest_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline_query, "_FITTED_ROWS", 300)
    first = ensure_forest(tmp_path)
    assert ensure_forest(tmp_path).anomaly_version == first.anomaly_version


def test_without_a_forest_nothing_is_scored() -> None:
    with pytest.raises(BaselineFailed):
        scores(ActiveModels(), [vectors(1, seed=1).tobytes()])
