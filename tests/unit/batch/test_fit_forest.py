from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from batch import fit_forest
from batch.fit_forest import TOO_FEW_ROWS, TooFewRows, draw_sample, run
from fraudwatch.adapters.artefacts.model_artefact import MODEL_FILES, read_artefact
from fraudwatch.adapters.artefacts.model_pointer import POINTER_NAME, parse_pointer
from fraudwatch.adapters.artefacts.model_pruning import KEPT_OF_EACH_KIND
from fraudwatch.adapters.artefacts.reloadable_models import load_models
from fraudwatch.adapters.codecs.log_fold import packed
from fraudwatch.adapters.kafka_log.feature_log import Stored, Vectors, vectors_of
from fraudwatch.batch_settings import TrainingSettings
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.fold import features_version


def the_log(rows: int, *, of_others: int = 0, at_once: int = 500) -> Iterator[Vectors]:
    """Generate the topic: rows of today's features, after some of another version."""
    random = np.random.default_rng(5)
    vectors = packed(np.abs(random.normal(3, 2, (rows, len(VECTOR_FEATURES)))))
    stored = [Stored(b"old", "yesterday", 1) for _ in range(of_others)]
    stored += [Stored(one, "today", 1_000 + i) for i, one in enumerate(vectors)]
    for first in range(0, len(stored), at_once):
        yield vectors_of(stored[first : first + at_once], "today")


@pytest.fixture
def settings(tmp_path: Path) -> TrainingSettings:
    return TrainingSettings(models_folder=tmp_path / "models", sample_rows=1_000, minimum_rows=600)


def test_vectors_of_other_features_are_skipped_and_counted() -> None:
    vector = packed(np.arange(float(len(VECTOR_FEATURES)))[None, :])[0]
    nan = packed(np.full((1, len(VECTOR_FEATURES)), np.nan))[0]
    found = vectors_of(
        [
            Stored(vector, "today", 10),
            Stored(vector, "yesterday", 20),
            Stored(vector[:-8], "today", 30),
            Stored(nan, "today", 40),
            Stored(vector, "", 50),
        ],
        "today",
    )
    assert found.skipped == 3
    assert found.served_at_ms.tolist() == [10, 40]
    assert found.features[0].tolist() == list(range(len(VECTOR_FEATURES)))
    assert np.isnan(found.features[1]).all()
    assert vectors_of([], "today").features.shape == (0, len(VECTOR_FEATURES))


def test_the_sample_is_bounded_and_counts_its_source_rows(
    settings: TrainingSettings,
) -> None:
    sample = draw_sample(the_log(2_500, of_others=700), settings)
    assert sample.rows.shape == (1_000, len(VECTOR_FEATURES))
    assert (sample.rows_offered, sample.skipped) == (2_500, 700)
    assert (sample.from_ms, sample.until_ms) == (1_000, 3_499)
    other_chunks = draw_sample(the_log(2_500, at_once=77), settings)
    assert other_chunks.rows.tobytes() == sample.rows.tobytes()


def test_too_few_rows_are_reported_and_nothing_is_written(settings: TrainingSettings) -> None:
    with pytest.raises(TooFewRows, match=r"has 599 rows .* 600 are needed \(3 of other"):
        run(the_log(599, of_others=3), settings)
    with pytest.raises(TooFewRows, match="has 0 rows"):
        run(iter([]), settings)
    assert not settings.models_folder.exists()


def test_a_run_writes_a_forest_that_the_stream_can_use(settings: TrainingSettings) -> None:
    report = run(the_log(2_500), settings)
    pointer = (settings.models_folder / POINTER_NAME).read_bytes()
    assert json.loads(pointer) == {"isolation_forest": report.sha256}
    models = load_models(settings.models_folder, parse_pointer(pointer))
    assert models.anomaly_version == report.version
    artefact = read_artefact(settings.models_folder, report.sha256)
    assert artefact.about.features_version == features_version()
    assert (artefact.about.rows, artefact.about.from_ms, artefact.about.until_ms) == (
        1_000,
        1_000,
        3_499,
    )
    assert len(artefact.arrays["root"]) == 100
    anomaly = models.evidence(np.full((1, len(VECTOR_FEATURES)), 60.0)).anomaly
    assert anomaly is not None
    assert anomaly[0] > 0.999


def test_old_models_are_pruned_after_a_fit(settings: TrainingSettings) -> None:
    reports = [run(the_log(700 + rows), settings) for rows in range(KEPT_OF_EACH_KIND + 2)]
    kept = {report.sha256 for report in reports[-KEPT_OF_EACH_KIND:]}
    assert MODEL_FILES.in_folder(settings.models_folder) == kept


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Set the command's environment, without a broker."""
    for name, value in {
        "TRAINING_MODELS_FOLDER": str(tmp_path / "models"),
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "KAFKA_USERNAME": "trainer",
        "KAFKA_PASSWORD": "a9d8f7g6h5j4k3l2",
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_the_command_prints_one_line(
    command: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command.setattr(fit_forest, "read_vectors", lambda *_: the_log(2_100))
    command.setattr("sys.argv", ["fit_forest", "--json"])
    assert fit_forest.main() == 0
    (line,) = capsys.readouterr().out.splitlines()
    printed = json.loads(line)
    assert (printed["rows_seen"], printed["rows_fitted"]) == (2_100, 2_100)
    command.setattr("sys.argv", ["fit_forest"])
    assert fit_forest.main() == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "fitted on 2100 of 2100 rows" in line


def test_the_command_ends_with_its_own_code_on_too_few_rows(
    command: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command.setattr(fit_forest, "read_vectors", lambda *_: the_log(1_999))
    command.setattr("sys.argv", ["fit_forest", "--json"])
    assert fit_forest.main() == TOO_FEW_ROWS
    assert capsys.readouterr().out == ""
