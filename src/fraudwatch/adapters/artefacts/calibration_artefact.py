"""Calibration artefacts: calibrator and curves of a classifier, a file named by its hash.

``<sha256>.calibration.npz`` beside the model: a small header and plain arrays. The model's own
artefact stays byte for byte what was measured, while the curves are renewed.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from fraudwatch.adapters.artefacts.hashed_files import SHA256, HashedFiles
from fraudwatch.domain.calibration.alert_curve import AlertCurve
from fraudwatch.domain.calibration.calibration import Calibration
from fraudwatch.domain.calibration.calibrator import BrokenCalibration, Calibrator
from fraudwatch.domain.calibration.labelled_curve import LabelledCurve
from fraudwatch.domain.calibration.novelty_curve import NoveltyCurve
from fraudwatch.domain.models.fitted import VERSION_LENGTH

# Some 1,300 thresholds of 8 bytes for each set of rules that hit together: 6,000 sets.
MAX_CALIBRATION_BYTES: Final = 64 * 2**20
CALIBRATION_FILES: Final = HashedFiles(
    "calibration", ".calibration.npz", "train again", BrokenCalibration, MAX_CALIBRATION_BYTES
)
_HEADER = "about"
_FIELDS: Final[Mapping[str, tuple[type, ...]]] = {
    "model_sha256": (str,),
    "forest_sha256": (str, type(None)),
    "features_version": (str,),
    "label_delay_days": (int,),
    "fitted_at_ms": (int,),
    "folds": (str,),
}
_CURVE_FIELDS: Final[Mapping[str, tuple[type, ...]]] = {
    "alert_days": (int,),
    "alert_rules": (list,),
    "labelled_heaviest": (float, int),
}
_NOVELTY_FIELDS: Final[Mapping[str, tuple[type, ...]]] = {
    "novelty_days": (int,),
    "novelty_harmless_below": (float, int),
}
_ARRAYS: Final[Mapping[str, type[np.generic]]] = {
    "calibrator_log_odds": np.float64,
    "calibrator_calibrated": np.float64,
    "alert_thresholds": np.float64,
    "alert_counts": np.int64,  # [rules, threshold]
    "labelled_thresholds": np.float64,
    "labelled_honest": np.float64,
    "labelled_fraud": np.float64,
}
_NOVELTY_ARRAYS: Final[Mapping[str, type[np.generic]]] = {
    "novelty_anomalies": np.float64,
    "novelty_purchases": np.int64,
}
_DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile)


def write_calibration(folder: Path, calibration: Calibration) -> str:
    """Write a calibration and return its hash; it is on disk when this returns."""
    return CALIBRATION_FILES.write(folder, calibration_bytes(calibration))


def read_calibration(folder: Path, sha256: str) -> Calibration:
    """Read the calibration of this hash.

    Raises:
        FileNotFoundError: it is not there (yet).
        BrokenCalibration: its content does not match the hash, or cannot be used.
    """
    return calibration_of(CALIBRATION_FILES.read(folder, sha256), sha256)


def expect_calibration_of(
    calibration: Calibration, model_sha256: str, features_version: str
) -> None:
    """Refuse a calibration of another model.

    Raises:
        BrokenCalibration: it was fitted for another model, or on other features.
    """
    if calibration.model_sha256 != model_sha256:
        raise BrokenCalibration(
            f"calibration {calibration.version} is of model "
            f"{calibration.model_sha256[:VERSION_LENGTH]} and not of "
            f"{model_sha256[:VERSION_LENGTH]}, whose scores it would distort; name its own"
        )
    if calibration.features_version != features_version:
        raise BrokenCalibration(
            f"calibration {calibration.version} was fitted on features "
            f"{calibration.features_version} and its model on {features_version}; train again"
        )


def calibration_bytes(calibration: Calibration) -> bytes:
    """Encode a calibration; equal calibrations give equal bytes, whatever their version."""
    alert, labelled = calibration.alert_curve, calibration.labelled_curve
    rules = sorted(alert.alerts)
    header: dict[str, Any] = {name: getattr(calibration, name) for name in _FIELDS} | {
        "alert_days": alert.days,
        "alert_rules": rules,
        "labelled_heaviest": labelled.heaviest,
    }
    arrays: dict[str, Any] = {
        "calibrator_log_odds": calibration.calibrator.log_odds,
        "calibrator_calibrated": calibration.calibrator.calibrated,
        "alert_thresholds": alert.thresholds,
        "alert_counts": np.array([alert.alerts[names] for names in rules]),
        "labelled_thresholds": labelled.thresholds,
        "labelled_honest": labelled.honest,
        "labelled_fraud": labelled.fraud,
    }
    if (novelty := calibration.novelty_curve) is not None:
        header |= {
            "novelty_days": novelty.days,
            "novelty_harmless_below": novelty.harmless_below,
        }
        arrays |= {"novelty_anomalies": novelty.anomalies, "novelty_purchases": novelty.purchases}
    text = json.dumps(header, sort_keys=True).encode()
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **{_HEADER: np.frombuffer(text, np.uint8)}, **arrays)
    return content.getvalue()


def calibration_of(content: bytes, sha256: str) -> Calibration:
    """Decode a calibration.

    Raises:
        BrokenCalibration: it cannot be read, is too big, or is not sound.
    """
    name = f"calibration {sha256[:VERSION_LENGTH]}"
    try:
        _expect_small(content)
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        header = json.loads(arrays.pop(_HEADER).tobytes())
        _expect_types(header, arrays)
        return _decoded(header, arrays, sha256[:VERSION_LENGTH])
    except BrokenCalibration as error:
        raise BrokenCalibration(f"{name} cannot be used: {error}; train again") from None
    except _DAMAGED as error:
        raise BrokenCalibration(
            f"{name} cannot be read ({type(error).__name__}: {error}); train again"
        ) from error


def _decoded(header: Mapping[str, Any], arrays: Mapping[str, Any], version: str) -> Calibration:
    rules = [tuple(names) for names in header["alert_rules"]]
    counts = dict(zip(rules, arrays["alert_counts"], strict=True))
    is_novelty_known = "novelty_days" in header
    return Calibration(
        **{name: header[name] for name in _FIELDS},
        calibrator=Calibrator(arrays["calibrator_log_odds"], arrays["calibrator_calibrated"]),
        alert_curve=AlertCurve(header["alert_days"], arrays["alert_thresholds"], counts),
        labelled_curve=LabelledCurve(
            arrays["labelled_thresholds"],
            arrays["labelled_honest"],
            arrays["labelled_fraud"],
            header["labelled_heaviest"],
        ),
        novelty_curve=NoveltyCurve(
            header["novelty_days"],
            header["novelty_harmless_below"],
            arrays["novelty_anomalies"],
            arrays["novelty_purchases"],
        )
        if is_novelty_known
        else None,
        version=version,
    )


def _expect_types(header: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    has_novelty = bool(header.keys() & _NOVELTY_FIELDS)
    fields = {**_FIELDS, **_CURVE_FIELDS, **(_NOVELTY_FIELDS if has_novelty else {})}
    types = {**_ARRAYS, **(_NOVELTY_ARRAYS if has_novelty else {})}
    if header.keys() != fields.keys() or arrays.keys() != types.keys():
        raise BrokenCalibration("it has other parts than a calibration of this version")
    wrong = [name for name, kinds in fields.items() if type(header[name]) not in kinds]
    wrong += [name for name, kind in types.items() if arrays[name].dtype != kind]
    hashes = [header["model_sha256"], header["forest_sha256"] or "0" * 64]
    if wrong or not all(SHA256.fullmatch(one) for one in hashes):
        raise BrokenCalibration(f"{', '.join(wrong) or 'a hash'} has another type than expected")
    if len(set(map(tuple, header["alert_rules"]))) < len(header["alert_rules"]):
        raise BrokenCalibration("its alert curve names a set of rules twice")


def _expect_small(content: bytes) -> None:
    """Refuse files that unpack to more than the limit (zip bombs)."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if sum(one.file_size for one in packed.infolist()) > MAX_CALIBRATION_BYTES:
            raise BrokenCalibration("it unpacks to more than the limit")
