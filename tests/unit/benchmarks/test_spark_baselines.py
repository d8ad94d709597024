from pathlib import Path

import numpy as np
import pytest

from benchmarks import peer_query
from benchmarks.peer_query import PeerFailed, ensure_forest, scores, vectors
from fraudwatch.domain.models.active_models import ActiveModels


def test_both_peers_say_what_the_streams_model_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_query, "_FITTED_ROWS", 300)
    models = ensure_forest(tmp_path / "models")
    rows = vectors(20, seed=1)
    packed = [row.astype("<f8").tobytes() for row in rows]
    expected = models.evidence(rows).anomaly
    assert expected is not None
    assert np.array_equal(scores(models, packed), expected)
    assert [scores(models, [one])[0] for one in packed] == expected.tolist()
    assert len(set(expected.tolist())) > 1


def test_a_forest_that_is_there_is_the_one_that_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_query, "_FITTED_ROWS", 300)
    first = ensure_forest(tmp_path)
    assert ensure_forest(tmp_path).anomaly_version == first.anomaly_version


def test_without_a_forest_nothing_is_served() -> None:
    with pytest.raises(PeerFailed):
        scores(ActiveModels(), [vectors(1, seed=1).tobytes()])
