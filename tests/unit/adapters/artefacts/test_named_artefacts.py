from __future__ import annotations

from pathlib import Path

import pytest

from fraudwatch.adapters.artefacts.model_artefact import Artefact, write_artefact
from fraudwatch.adapters.artefacts.named_artefacts import NamedArtefacts
from fraudwatch.adapters.artefacts.policy_file import parse_policy
from tests.calibrations import write_a_calibration

POLICY = (Path(__file__).parents[4] / "contracts/policies/default.yaml").read_bytes()


@pytest.fixture
def named(tmp_path: Path) -> NamedArtefacts:
    (tmp_path / "policies").mkdir()
    (tmp_path / "models").mkdir()
    return NamedArtefacts(tmp_path / "policies", tmp_path / "models")


def test_a_policy_is_found_by_its_version_beside_broken_ones(
    named: NamedArtefacts, tmp_path: Path
) -> None:
    version = parse_policy(POLICY).version
    assert named.policy(version) is None
    (tmp_path / "policies/a.yaml").write_bytes(b"rules: [")
    (tmp_path / "policies/b.yaml").write_bytes(POLICY)
    found = named.policy(version)
    assert found is not None
    assert found.version == version
    assert named.policy(version) is found  # bounds are kept as long as it is the same object
    assert named.policy("another") is None


def test_models_are_found_by_the_versions_of_a_verdict(
    named: NamedArtefacts, tmp_path: Path, forest: Artefact, xgboost: Artefact
) -> None:
    folder = tmp_path / "models"
    anomaly, fraud = write_artefact(folder, forest), write_artefact(folder, xgboost)
    calibration = write_a_calibration(folder, fraud)
    versions = (anomaly[:12], fraud[:12])
    found = named.models(versions, calibration[:12])
    assert found is not None
    assert (found.anomaly_version, found.model_version) == versions
    assert found.calibration_version == calibration[:12]
    assert named.models(versions, calibration[:12]) is found
    alone = named.models((anomaly[:12],), "")
    assert alone is not None
    assert alone.fraud is None
    nothing = named.models((), "")
    assert nothing is not None
    assert nothing.anomaly is None


def test_what_is_gone_or_damaged_is_none(
    named: NamedArtefacts, tmp_path: Path, xgboost: Artefact
) -> None:
    folder = tmp_path / "models"
    sha256 = write_artefact(folder, xgboost)
    assert named.models(("0" * 12,), "") is None
    assert named.models((sha256[:12],), "0" * 12) is None
    (folder / f"{sha256}.npz").write_bytes(b"damaged")
    assert named.models((sha256[:12],), "") is None
