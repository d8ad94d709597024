"""Pointer to the active models: ``champion.json`` in the folder of their artefacts.

It names the active model of each kind, the classifier's calibration, and the canary if there is
one; it is replaced atomically after its artefacts are on disk. A kind that it does not name is not
used.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from fraudwatch.adapters.artefacts.hashed_files import SHA256
from fraudwatch.adapters.durable_file import lock_file, replace_file
from fraudwatch.domain.models.canary import MOST_SHARE_RATIO
from fraudwatch.domain.models.fitted import BrokenModel, ModelKind

POINTER_NAME: Final = "champion.json"
_CALIBRATION: Final = "calibration"
_CANARY: Final = "canary"


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryPointer:
    """Hashes of the canary's classifier and calibration, and whom it scores since when."""

    model: str
    calibration: str
    share_ratio: float
    started_at_ms: int

    def to_document(self) -> dict[str, Any]:
        """Convert to the pointer file's object."""
        return {
            "model": self.model,
            "calibration": self.calibration,
            "share_ratio": self.share_ratio,
            "started_at_ms": self.started_at_ms,
        }


@dataclass(frozen=True, slots=True)
class Pointer:
    """Hashes of the active artefacts."""

    models: Mapping[ModelKind, str] = field(default_factory=dict)
    calibration: str | None = None
    """Of the classifier."""
    canary: CanaryPointer | None = None

    def to_json(self) -> bytes:
        """Encode the pointer as its file's content."""
        named: dict[str, Any] = {str(kind): sha256 for kind, sha256 in self.models.items()}
        if self.calibration:
            named[_CALIBRATION] = self.calibration
        if self.canary:
            named[_CANARY] = self.canary.to_document()
        return f"{json.dumps(named, indent=2, sort_keys=True)}\n".encode()

    @property
    def model_hashes(self) -> set[str]:
        """Hashes of all models that are used, with the canary's."""
        return {*self.models.values(), *([self.canary.model] if self.canary else [])}

    @property
    def calibration_hashes(self) -> set[str]:
        """Hashes of all calibrations that are used, with the canary's."""
        canary = self.canary.calibration if self.canary else None
        return {one for one in (self.calibration, canary) if one}


def parse_pointer(content: bytes) -> Pointer:
    """Parse the pointer: the active artefact of each kind, the calibration, and the canary.

    Raises:
        BrokenModel: the document is not a pointer.
    """
    try:
        document = json.loads(content)
    except ValueError as error:
        raise BrokenModel(f"it is no JSON: {error}") from error
    kinds = {*ModelKind, _CALIBRATION}
    if not isinstance(document, dict) or document.keys() - {*kinds, _CANARY}:
        raise BrokenModel(
            f"it must map kinds of artefacts to hashes; kinds are {', '.join(sorted(kinds))}"
        )
    canary = document.pop(_CANARY, None)
    for kind, sha256 in document.items():
        _check_hash(str(kind), sha256)
    calibration = document.pop(_CALIBRATION, None)
    has_classifier = ModelKind.XGBOOST in document
    if calibration is not None and not has_classifier:
        raise BrokenModel("it names a calibration without the classifier that it is for")
    if canary is not None and not has_classifier:
        raise BrokenModel("it names a canary without a champion to compare it with")
    return Pointer(
        {ModelKind(kind): sha256 for kind, sha256 in document.items()},
        calibration,
        None if canary is None else _canary_in(canary),
    )


def point_to(folder: Path, kind: ModelKind, sha256: str, *, calibration: str | None = None) -> None:
    """Activate an artefact from the stream's next micro-batch on; other kinds stay unchanged.

    A classifier is activated with its calibration, in one step, and ends a canary: what it was
    compared with is no longer active.
    """
    with locked_pointer(folder) as known:
        is_classifier = kind is ModelKind.XGBOOST
        replace_pointer(
            folder,
            Pointer(
                {**known.models, kind: sha256},
                calibration if is_classifier else known.calibration,
                None if is_classifier else known.canary,
            ),
        )


def replace_pointer(folder: Path, pointer: Pointer) -> None:
    """Replace the pointer durably; the caller holds its lock."""
    replace_file(folder / POINTER_NAME, pointer.to_json())


@contextmanager
def locked_pointer(folder: Path) -> Iterator[Pointer]:
    """Read the pointer under its lock; an absent one names nothing.

    Raises:
        BrokenModel: the document is not a pointer.
    """
    pointer = folder / POINTER_NAME
    with lock_file(pointer):
        yield read_pointer(folder)


def read_pointer(folder: Path) -> Pointer:
    """Read the pointer; an absent one names nothing.

    Raises:
        BrokenModel: the document is not a pointer.
    """
    pointer = folder / POINTER_NAME
    return parse_pointer(pointer.read_bytes()) if pointer.exists() else Pointer()


def end_canary(folder: Path, only: CanaryPointer | None = None) -> str | None:
    """Remove the canary, or only this one; return the hash of its model, None if none was removed.

    Raises:
        BrokenModel: the pointer is not one.
    """
    with locked_pointer(folder) as pointer:
        if pointer.canary is None or (only is not None and pointer.canary != only):
            return None
        replace_pointer(folder, replace(pointer, canary=None))
        return pointer.canary.model


def _canary_in(document: object) -> CanaryPointer:
    try:
        found = CanaryPointer(**document)  # type: ignore[arg-type]  # checked by the call
    except TypeError as error:
        raise BrokenModel(f"its canary is unusable: {error}") from error
    _check_hash("canary's model", found.model)
    _check_hash("canary's calibration", found.calibration)
    numbers = found.share_ratio, found.started_at_ms
    if not all(isinstance(one, (int, float)) for one in numbers) or not (
        0 < found.share_ratio <= MOST_SHARE_RATIO
    ):
        raise BrokenModel(
            f"its canary's share_ratio must be above 0 and at most {MOST_SHARE_RATIO}, and "
            "started_at_ms a number"
        )
    return found


def _check_hash(kind: str, sha256: object) -> None:
    if not isinstance(sha256, str) or not SHA256.fullmatch(sha256):
        raise BrokenModel(f"its {kind} is no SHA-256 of 64 lowercase hexadecimal digits")
