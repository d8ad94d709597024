from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fraudwatch.adapters.artefacts.candidate import load_candidate
from fraudwatch.adapters.artefacts.candidate_folder import (
    MANIFEST_NAME,
    BrokenCandidate,
    CandidateModel,
    current_comparison,
    start_comparison,
    stop_comparison,
)
from fraudwatch.adapters.artefacts.model_artefact import Artefact, write_artefact
from fraudwatch.domain.models.serving import ServingVersions
from fraudwatch.domain.shadow import Comparison
from tests.calibrations import write_a_calibration

if TYPE_CHECKING:
    from tests.unit.adapters.artefacts.conftest import AnXgboost

POLICY = (Path(__file__).parents[4] / "contracts/policies/default.yaml").read_bytes()
SERVING = ServingVersions("today", 3)


def start(
    folder: Path,
    policy: bytes | None = POLICY,
    model: CandidateModel | None = None,
    models_folder: Path = Path("/nowhere"),
    started_at_ms: int = 1_000,
) -> Comparison:
    return start_comparison(
        folder,
        policy=policy,
        model=model,
        models_folder=models_folder,
        started_at_ms=started_at_ms,
        from_at_ms=500,
        started_by="operator",
    )


def written(folder: Path, xgboost: Artefact) -> CandidateModel:
    sha256 = write_artefact(folder, xgboost)
    return CandidateModel(sha256=sha256, calibration=write_a_calibration(folder, sha256))


def test_no_candidate_is_none(tmp_path: Path) -> None:
    assert load_candidate(tmp_path, SERVING) is None
    assert current_comparison(tmp_path / "missing") is None
    assert not stop_comparison(tmp_path)


def test_a_policy_is_read_back_as_it_was_started(tmp_path: Path) -> None:
    comparison = start(tmp_path)
    found = load_candidate(tmp_path, SERVING)
    assert found is not None
    assert found.comparison == comparison == current_comparison(tmp_path)
    assert found.models is None
    assert found.policy is not None
    assert found.policy.version == comparison.policy_version


def test_a_policy_with_lists_of_its_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenCandidate, match=r"lists\.yaml"):
        start(tmp_path, POLICY + b"\nlists: {allow: {merchant_country: [SE]}}\n")
    assert current_comparison(tmp_path) is None


def test_nothing_starts_without_its_record(tmp_path: Path) -> None:
    def refuse(_: Comparison) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        start_comparison(
            tmp_path, policy=POLICY, model=None, models_folder=tmp_path, started_at_ms=1,
            from_at_ms=1, started_by="operator", record=refuse,
        )  # fmt: skip
    assert current_comparison(tmp_path) is None


def test_a_model_needs_no_other_folder_once_it_is_started(
    tmp_path: Path, xgboost: Artefact
) -> None:
    models, folder = tmp_path / "models", tmp_path / "candidate"
    model = written(models, xgboost)
    comparison = start(folder, None, model, models)
    for path in models.iterdir():
        path.unlink()
    found = load_candidate(folder, SERVING)
    assert found is not None
    assert found.models is not None
    assert found.policy is None
    assert found.models.model_version == comparison.model_version == model.sha256[:12]
    assert found.models.calibration_version == model.calibration[:12]


def test_another_start_is_another_comparison_and_removes_old_files(
    tmp_path: Path, xgboost: Artefact
) -> None:
    models, folder = tmp_path / "models", tmp_path / "candidate"
    first = start(folder, POLICY, written(models, xgboost), models)
    second = start(folder, POLICY + b"\n# again\n", started_at_ms=2_000)
    assert first.comparison_id != second.comparison_id
    assert len(list(folder.iterdir())) == 2
    assert current_comparison(folder) == second


def test_a_stopped_comparison_is_over(tmp_path: Path) -> None:
    start(tmp_path)
    assert stop_comparison(tmp_path)
    assert load_candidate(tmp_path, SERVING) is None


@pytest.mark.parametrize("policy", [b"rules: [", b"version: x\nrules: {nothing: {}}"])
def test_an_invalid_policy_is_refused_and_changes_nothing(tmp_path: Path, policy: bytes) -> None:
    before = start(tmp_path)
    with pytest.raises(BrokenCandidate, match="the policy cannot be used"):
        start(tmp_path, policy)
    assert current_comparison(tmp_path) == before


def test_nothing_and_a_missing_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenCandidate, match="none was given"):
        start(tmp_path, None)
    with pytest.raises(BrokenCandidate, match="is not in"):
        start(tmp_path, None, CandidateModel(sha256="0" * 64, calibration="1" * 64), tmp_path)
    assert not (tmp_path / MANIFEST_NAME).exists()


def test_a_model_of_other_features_cannot_be_used(tmp_path: Path, an_xgboost: AnXgboost) -> None:
    models, folder = tmp_path / "models", tmp_path / "candidate"
    start(folder, None, written(models, an_xgboost(label_delay_days=9)), models)
    with pytest.raises(BrokenCandidate, match="label delay of 9 days"):
        load_candidate(folder, SERVING)


@pytest.mark.parametrize("content", ["", "[]", '{"comparison": {}, "policy": null, "model": null}'])
def test_a_damaged_manifest_is_reported(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST_NAME).write_text(content)
    with pytest.raises(BrokenCandidate):
        load_candidate(tmp_path, SERVING)
