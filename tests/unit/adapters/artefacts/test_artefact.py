from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fraudwatch.adapters.artefacts.forest_artefact import forest_model
from fraudwatch.adapters.artefacts.model_artefact import Artefact, read_artefact, write_artefact
from fraudwatch.adapters.artefacts.model_pointer import (
    POINTER_NAME,
    Pointer,
    parse_pointer,
    point_to,
)
from fraudwatch.adapters.artefacts.xgboost_model import xgboost_model
from fraudwatch.domain.models.fitted import BrokenModel, ModelKind, ModelMetadata

if TYPE_CHECKING:
    from tests.unit.adapters.artefacts.conftest import SomeRows


def _stored(folder: Path, content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    (folder / f"{sha256}.npz").write_bytes(content)
    return sha256


def test_an_artefact_is_read_as_it_was_written(
    tmp_path: Path, forest: Artefact, some_rows: SomeRows
) -> None:
    sha256 = write_artefact(tmp_path, forest)
    assert [path.name for path in tmp_path.iterdir()] == [f"{sha256}.npz"]
    assert hashlib.sha256((tmp_path / f"{sha256}.npz").read_bytes()).hexdigest() == sha256
    found = read_artefact(tmp_path, sha256)
    assert found.about == forest.about
    assert found.arrays.keys() == forest.arrays.keys()
    rows = some_rows(100)
    before, after = forest_model(forest, sha256), forest_model(found, sha256)
    assert before.anomaly(rows).tobytes() == after.anomaly(rows).tobytes()
    assert write_artefact(tmp_path, found) == sha256


def test_an_altered_artefact_is_refused(tmp_path: Path, forest: Artefact) -> None:
    sha256 = write_artefact(tmp_path, forest)
    path = tmp_path / f"{sha256}.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BrokenModel, match="was altered"):
        read_artefact(tmp_path, sha256)


def test_a_missing_one_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="abababababab is not in"):
        read_artefact(tmp_path, "ab" * 32)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_an_unreadable_one_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BrokenModel, match="cannot be read"):
        read_artefact(tmp_path, _stored(tmp_path, content))


def test_unknown_features_are_refused_by_name(tmp_path: Path, forest: Artefact) -> None:
    written = write_artefact(tmp_path, forest)
    with np.load(tmp_path / f"{written}.npz") as found:
        arrays = dict(found)
    about = json.loads(arrays["about"].tobytes())
    about["features"][0] = "shoe_size"
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    np.savez(tmp_path / "made.npz", **arrays)
    sha256 = _stored(tmp_path, (tmp_path / "made.npz").read_bytes())
    with pytest.raises(BrokenModel, match=r"not in the catalogue: shoe_size; fit it again"):
        read_artefact(tmp_path, sha256)


def test_a_feature_named_twice_or_none_is_refused(an_about: Callable[..., ModelMetadata]) -> None:
    for features in ((), ("item_count", "item_count")):
        with pytest.raises(BrokenModel, match="no feature, or one twice"):
            an_about(features=features)


def test_an_evaluator_refuses_what_does_not_fit(forest: Artefact, xgboost: Artefact) -> None:
    fewer = replace(forest.about, features=forest.about.features[1:])
    with pytest.raises(BrokenModel, match="is not one number a feature"):
        forest_model(replace(forest, about=fewer), "0" * 64)
    falling = {**forest.arrays, "quantiles": forest.arrays["quantiles"][::-1]}
    with pytest.raises(BrokenModel, match="not a rising row"):
        forest_model(replace(forest, arrays=falling), "0" * 64)
    with pytest.raises(BrokenModel, match="missing"):
        forest_model(replace(forest, arrays={}), "0" * 64)
    for make, other in ((forest_model, xgboost), (xgboost_model, forest)):
        with pytest.raises(BrokenModel, match="is no "):
            make(other, "0" * 64)


def test_the_pointer_names_one_of_each_kind(tmp_path: Path) -> None:
    pointer = tmp_path / POINTER_NAME
    point_to(tmp_path, ModelKind.ISOLATION_FOREST, "a" * 64)
    point_to(tmp_path, ModelKind.XGBOOST, "b" * 64)
    point_to(tmp_path, ModelKind.ISOLATION_FOREST, "c" * 64)
    assert json.loads(pointer.read_text()) == {
        "isolation_forest": "c" * 64,
        "xgboost": "b" * 64,
    }
    assert parse_pointer(pointer.read_bytes()).models[ModelKind.XGBOOST] == "b" * 64
    assert parse_pointer(b"{}") == Pointer()


def test_a_classifier_is_pointed_to_with_its_calibration(tmp_path: Path) -> None:
    pointer = tmp_path / POINTER_NAME
    point_to(tmp_path, ModelKind.XGBOOST, "b" * 64, calibration="d" * 64)
    point_to(tmp_path, ModelKind.ISOLATION_FOREST, "c" * 64)
    named = parse_pointer(pointer.read_bytes())
    assert (named.models[ModelKind.XGBOOST], named.calibration) == ("b" * 64, "d" * 64)
    assert named.to_json() == pointer.read_bytes()
    point_to(tmp_path, ModelKind.XGBOOST, "e" * 64)  # the other's calibration is not its own
    assert parse_pointer(pointer.read_bytes()).calibration is None


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{", "is no JSON"),
        (b"\xff", "is no JSON"),
        (b"[]", "must map kinds"),
        (b'{"oracle": "' + b"a" * 64 + b'"}', "kinds are calibration, isolation_forest, xgboost"),
        (b'{"calibration": "' + b"a" * 64 + b'"}', "without the classifier"),
        (b'{"calibration": null, "xgboost": "' + b"a" * 64 + b'"}', "calibration is no SHA-256"),
        (b'{"xgboost": "../../etc/x"}', "is no SHA-256"),
        (b'{"xgboost": 7}', "is no SHA-256"),
    ],
)
def test_a_broken_pointer_is_refused(content: bytes, complaint: str) -> None:
    with pytest.raises(BrokenModel, match=complaint):
        parse_pointer(content)
