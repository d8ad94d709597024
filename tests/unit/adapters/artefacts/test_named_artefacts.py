from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fraudwatch.adapters.artefacts.model_artefact import Artefact, write_artefact
from fraudwatch.adapters.artefacts.named_artefacts import NamedArtefacts
from fraudwatch.adapters.artefacts.policy_file import parse_policy, parse_rules
from fraudwatch.domain.policy.list_document import NO_LISTS_DOCUMENT, PolicyLists
from tests.calibrations import write_a_calibration

POLICY = (Path(__file__).parents[4] / "contracts/policies/default.yaml").read_bytes()


LISTS = b"""entries:
- {list: deny, kind: merchant, value: shop-1, reason: chargebacks, by: lina, added_at: 2026-01-01}
"""
VERSION, HASH = parse_rules(POLICY, LISTS).version, hashlib.sha256(LISTS).hexdigest()


@pytest.fixture
def named(tmp_path: Path) -> NamedArtefacts:
    for name in ("policies", "lists", "models"):
        (tmp_path / name).mkdir()
    return NamedArtefacts(tmp_path / "policies", tmp_path / "lists", tmp_path / "models")


def journal(folder: Path, content: bytes) -> Path:
    path = folder / f"{hashlib.sha256(content).hexdigest()}.yaml"
    path.write_bytes(content)
    return path


def test_a_policy_is_joined_with_its_lists_by_their_hashes(
    named: NamedArtefacts, tmp_path: Path
) -> None:
    assert named.policy(VERSION) is None
    (tmp_path / "policies" / f"{'0' * 64}.yaml").write_bytes(b"rules: [")
    journal(tmp_path / "policies", POLICY.replace(b"version: ", b"version: x"))
    journal(tmp_path / "policies", POLICY)
    journal(tmp_path / "lists", NO_LISTS_DOCUMENT)
    assert named.policy(VERSION) is None
    path = journal(tmp_path / "lists", LISTS)
    found = named.policy(VERSION)
    assert found is not None
    assert found.version == VERSION
    assert found == parse_rules(POLICY, LISTS)
    assert named.policy(VERSION) is found  # bounds are kept as long as it is the same object
    assert named.policy("another") is None
    # Lists alone need no policy: the candidate has its own.
    lists = named.lists(f"gone+00000000+{HASH[:8]}")
    assert lists is not None
    assert [one.value for one in lists.entries] == ["shop-1"]
    path.write_bytes(NO_LISTS_DOCUMENT)
    assert named.lists(f"other+00000000+{HASH[:8]}") is None


def test_a_policy_of_before_lists_were_a_file_has_none_of_its_own(
    named: NamedArtefacts, tmp_path: Path
) -> None:
    version = parse_policy(POLICY).version
    assert named.lists(version) is None
    journal(tmp_path / "policies", POLICY)
    assert named.policy(version) == parse_policy(POLICY)
    assert named.lists(version) == PolicyLists()


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
