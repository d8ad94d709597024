from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fraudwatch.adapters.artefacts import calibration_artefact
from fraudwatch.adapters.artefacts.calibration_artefact import (
    CALIBRATION_FILES,
    calibration_bytes,
    calibration_of,
    expect_calibration_of,
    read_calibration,
    write_calibration,
)
from fraudwatch.domain.calibration.calibrator import BrokenCalibration
from tests.calibrations import a_calibration

MODEL = "a" * 64
Parts = dict[str, Any]


def test_a_calibration_is_read_as_it_was_written(tmp_path: Path) -> None:
    calibration = a_calibration(MODEL, forest_sha256="f" * 64)
    sha256 = write_calibration(tmp_path, calibration)
    (path,) = tmp_path.iterdir()
    assert path.name == f"{sha256}.calibration.npz"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    assert CALIBRATION_FILES.in_folder(tmp_path) == {sha256}
    found = read_calibration(tmp_path, sha256)
    assert (found.version, calibration.version) == (sha256[:12], "")
    assert (found.model_sha256, found.forest_sha256) == (MODEL, "f" * 64)
    assert (found.label_delay_days, found.folds) == (7, "prequential, 3 folds")
    log_odds = np.linspace(-30, 30, 1_000)
    assert found.score(log_odds).tobytes() == calibration.score(log_odds).tobytes()
    for floors in (set[str](), {"deny_list"}):
        expected = calibration.alert_curve.review_from(20, floors)
        assert found.alert_curve.review_from(20, floors) == expected
    assert found.labelled_curve.decline_from(0.8, 0.01) == (
        calibration.labelled_curve.decline_from(0.8, 0.01)
    )
    assert found.novelty_curve is not None
    assert calibration.novelty_curve is not None
    assert found.novelty_curve.anomaly_from(3) == calibration.novelty_curve.anomaly_from(3)


def test_equal_calibrations_give_equal_bytes(tmp_path: Path) -> None:
    content = calibration_bytes(a_calibration(MODEL))
    assert content == calibration_bytes(a_calibration(MODEL, version="other"))
    assert content == calibration_bytes(calibration_of(content, "0" * 64))
    assert content != calibration_bytes(a_calibration(MODEL, fitted_at_ms=7))
    first = write_calibration(tmp_path, a_calibration(MODEL))
    assert write_calibration(tmp_path, read_calibration(tmp_path, first)) == first


def test_there_may_be_no_novelty_curve() -> None:
    content = calibration_bytes(a_calibration(MODEL, novelty_curve=None))
    assert calibration_of(content, "0" * 64).novelty_curve is None


def test_an_altered_or_missing_file_is_refused(tmp_path: Path) -> None:
    sha256 = write_calibration(tmp_path, a_calibration(MODEL))
    path = tmp_path / CALIBRATION_FILES.name_of(sha256)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BrokenCalibration, match="was altered"):
        read_calibration(tmp_path, sha256)
    with pytest.raises(FileNotFoundError, match="calibration abababababab is not in"):
        read_calibration(tmp_path, "ab" * 32)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_an_unreadable_file_is_refused(content: bytes) -> None:
    with pytest.raises(BrokenCalibration, match=r"calibration 000000000000 cannot be read .*again"):
        calibration_of(content, "0" * 64)


def test_a_file_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = calibration_bytes(a_calibration(MODEL))
    monkeypatch.setattr(calibration_artefact, "MAX_CALIBRATION_BYTES", 10_000)
    with pytest.raises(BrokenCalibration, match="unpacks to more than the limit"):
        calibration_of(content, "0" * 64)


def changed(change: Callable[[Parts, Parts], object]) -> bytes:
    """Bytes of a calibration whose header and arrays were changed."""
    with np.load(io.BytesIO(calibration_bytes(a_calibration(MODEL)))) as found:
        arrays = dict(found)
    header = json.loads(arrays.pop("about").tobytes())
    change(header, arrays)
    about = np.frombuffer(json.dumps(header).encode(), np.uint8)
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, about=about, **arrays)
    return content.getvalue()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda header, _: header.pop("folds"), "other parts"),
        (lambda header, _: header.update(more=1), "other parts"),
        (lambda header, _: header.pop("novelty_days"), "other parts"),
        (lambda _, arrays: arrays.pop("alert_counts"), "other parts"),
        (lambda _, arrays: arrays.update(more=np.zeros(1)), "other parts"),
        (lambda header, _: header.update(label_delay_days=True), "label_delay_days has another"),
        (lambda header, _: header.update(fitted_at_ms="1"), "fitted_at_ms has another type"),
        (lambda header, _: header.update(model_sha256="../x"), "a hash has another type"),
        (lambda header, _: header.update(forest_sha256="abc"), "a hash has another type"),
        (lambda header, _: header.update(alert_days=0), "on no day"),
        (lambda header, _: header["alert_rules"].pop(), "cannot be read"),
        (lambda header, _: header["alert_rules"].insert(0, []), "names a set of rules twice"),
        (
            lambda _, arrays: arrays.update(alert_counts=arrays["alert_counts"].astype(float)),
            "alert_counts has another type",
        ),
        (
            lambda _, arrays: arrays.update(
                calibrator_calibrated=arrays["calibrator_calibrated"][::-1]
            ),
            "do not rise",
        ),
        (
            lambda _, arrays: arrays.update(labelled_fraud=arrays["labelled_fraud"][::-1]),
            "weights of its labelled curve",
        ),
        (
            lambda _, arrays: arrays.update(novelty_purchases=arrays["novelty_purchases"][:-1]),
            "novelty curve",
        ),
    ],
)
def test_unsound_parts_are_refused(
    change: Callable[[Parts, Parts], object], complaint: str
) -> None:
    with pytest.raises(BrokenCalibration, match=complaint) as raised:
        calibration_of(changed(change), "0" * 64)
    assert str(raised.value).endswith("; train again")


def test_a_calibration_of_another_model_is_refused() -> None:
    calibration = a_calibration(MODEL, version="c" * 12)
    expect_calibration_of(calibration, MODEL, "today")
    with pytest.raises(BrokenCalibration, match="cccccccccccc is of model aaaaaaaaaaaa and not"):
        expect_calibration_of(calibration, "b" * 64, "today")
    with pytest.raises(BrokenCalibration, match="on features today and its model on yesterday"):
        expect_calibration_of(calibration, MODEL, "yesterday")
