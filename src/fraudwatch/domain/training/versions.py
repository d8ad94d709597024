"""Describe model versions of the registry: number, artefact hash, aliases, tags and metrics."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fraudwatch.domain.models.fitted import BrokenModel

CALIBRATION: Final = "calibration"
"""Tag of a version: the hash of its calibration."""


class Alias(enum.StrEnum):
    """Alias of a version; each alias belongs to one version at most."""

    CHAMPION = "champion"  # the stream uses it
    CHALLENGER = "challenger"  # better, and waits for approval


class NoSuchVersion(LookupError):
    """The requested version is not in the registry; the text lists what is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One registered model version."""

    version: int
    sha256: str
    created_at_ms: int
    aliases: tuple[str, ...] = ()
    promoted_at_ms: int | None = None
    """When it was first promoted; None: never."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Its inputs: data window, table versions, features, code."""
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def calibration(self) -> str | None:
        """Hash of the calibration that it was registered with, or None."""
        return self.tags.get(CALIBRATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """Record of a training run: enough to explain it and to repeat it."""

    sha256: str
    calibration: str | None = None
    """Hash of the calibration that was measured with the model."""
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    documents: Mapping[str, Any] = field(default_factory=dict)
    """Named JSON documents: folds, segments, curves."""


def calibration_of_version(chosen: ModelVersion) -> str:
    """Return the hash of a version's calibration.

    Raises:
        BrokenModel: it was registered without one.
    """
    if chosen.calibration is None:
        raise BrokenModel(
            f"version {chosen.version} has no calibration, so the stream could not use it; nothing "
            "was changed: train a new one"
        )
    return chosen.calibration


def tags_of(record: TrainingRecord) -> dict[str, str]:
    """Return the tags of a new version: the record's, and its calibration."""
    named = {CALIBRATION: record.calibration} if record.calibration else {}
    return {**record.tags, **named}


def version_of(number: int, versions: Sequence[ModelVersion]) -> ModelVersion:
    """Return the version of this number.

    Raises:
        NoSuchVersion: there is no such version.
    """
    for one in versions:
        if one.version == number:
            return one
    registered = ", ".join(str(one.version) for one in versions) or "none"
    raise NoSuchVersion(f"there is no version {number} of the model; registered: {registered}")


def with_sha256(sha256: str | None, versions: Sequence[ModelVersion]) -> ModelVersion | None:
    """Return the newest version of this artefact, or None."""
    return next((one for one in versions if one.sha256 == sha256), None) if sha256 else None


def previous_champion(
    champion: ModelVersion | None, versions: Sequence[ModelVersion]
) -> ModelVersion:
    """Return the champion before this one: the last one promoted before it.

    Raises:
        NoSuchVersion: there was no earlier champion.
    """
    until_ms = champion.promoted_at_ms if champion else None
    earlier = [
        one
        for one in versions
        if one.promoted_at_ms is not None and (until_ms is None or one.promoted_at_ms < until_ms)
    ]
    if champion is None or not earlier:
        raise NoSuchVersion(
            "there was no champion before the current one, so there is nothing to go back to; "
            "nothing was changed"
        )
    return max(earlier, key=lambda one: one.promoted_at_ms or 0)
