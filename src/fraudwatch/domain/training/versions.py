"""A model of the registry: its number, the hash of its artefact, what it is called, what it did."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class Alias(enum.StrEnum):
    """What a version may be called; each name belongs to one version at most."""

    CHAMPION = "champion"  # the stream uses it
    CHALLENGER = "challenger"  # better, and waits for a person's approval


class NoSuchVersion(LookupError):
    """The registry does not hold what was asked for; the text says what it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One registered model."""

    version: int
    sha256: str
    created_at_ms: int
    aliases: tuple[str, ...] = ()
    promoted_at_ms: int | None = None
    """When the stream was first given it; None: never."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Data window, table versions, features, code: what it was made of."""
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """What is kept of a training: enough to say later why, and to do it again."""

    sha256: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    documents: Mapping[str, Any] = field(default_factory=dict)
    """Named JSON documents: folds, segments, curves."""


def version_of(number: int, versions: Sequence[ModelVersion]) -> ModelVersion:
    """The version of this number.

    Raises:
        NoSuchVersion: there is none.
    """
    for one in versions:
        if one.version == number:
            return one
    held = ", ".join(str(one.version) for one in versions) or "none"
    raise NoSuchVersion(f"there is no version {number} of the model; registered: {held}")


def with_sha256(sha256: str | None, versions: Sequence[ModelVersion]) -> ModelVersion | None:
    """The newest version of this artefact."""
    return next((one for one in versions if one.sha256 == sha256), None) if sha256 else None


def before(champion: ModelVersion | None, versions: Sequence[ModelVersion]) -> ModelVersion:
    """The champion before this one: promoted last before it was.

    Raises:
        NoSuchVersion: no other version was in use earlier.
    """
    until_ms = champion.promoted_at_ms if champion else None
    earlier = [
        one
        for one in versions
        if one.promoted_at_ms is not None and (until_ms is None or one.promoted_at_ms < until_ms)
    ]
    if champion is None or not earlier:
        raise NoSuchVersion(
            "no champion was in use before the present one, so there is nothing to go back to; "
            "nothing was changed"
        )
    return max(earlier, key=lambda one: one.promoted_at_ms or 0)
