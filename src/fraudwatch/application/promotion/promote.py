"""Who is champion: promoted, approved, taken back; what the stream points to is the truth.

Order of every change: the artefact is on disk and answers, then the registry's alias, then the
pointer that the stream follows. A run that dies in between has changed nothing that is in use, and
:func:`mend` calls the pointer's model champion again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fraudwatch.domain.training.versions import (
    Alias,
    ModelVersion,
    NoSuchVersion,
    TrainingRecord,
    previous_champion,
    version_of,
    with_sha256,
)

PROMOTED_AT = "promoted_at_ms"


class ChampionChanged(RuntimeError):
    """Somebody else changed the champion meanwhile; nothing was done."""


class RegistryUnavailable(ConnectionError):
    """The registry does not answer; nothing was done."""


class ModelRegistry(Protocol):
    """The record of all models, with their names and numbers."""

    def versions(self) -> Sequence[ModelVersion]:
        """All of them, newest first."""

    def register(self, record: TrainingRecord, artefact: Path) -> int:
        """Keep a training and its artefact; the same artefact again is the same version."""

    def name(self, alias: Alias, version: int | None) -> None:
        """Give a name to one version, or take it away."""

    def note(self, version: int, facts: Mapping[str, str]) -> None:
        """Add facts to a version."""

    def restore(self, version: int, folder: Path) -> None:
        """Bring a version's artefact back into a folder if it is gone from there."""


class ServedModels(Protocol):
    """The folder from which the stream takes its models."""

    @property
    def folder(self) -> Path:
        """Where the artefacts lie."""

    def in_use(self) -> str | None:
        """The hash of the model that the stream is told to use."""

    def check(self, sha256: str) -> None:
        """Open a model as the stream would.

        Raises:
            BrokenModel: it cannot be used.
        """

    def use(self, sha256: str) -> None:
        """Tell the stream to use it from its next batch on."""


@dataclass(frozen=True, slots=True)
class Models:
    """The registry, the stream's folder, and the time."""

    registry: ModelRegistry
    served: ServedModels
    now_ms: Callable[[], int]

    def champion(self) -> ModelVersion | None:
        """What the stream is told to use, as the registry knows it."""
        return with_sha256(self.served.in_use(), self.registry.versions())


def mend(models: Models) -> str | None:
    """Let the registry say what is true: the sentence tells what was changed, if anything.

    A promotion that died before the pointer moved left a champion by name only.
    """
    champion, versions = models.champion(), models.registry.versions()
    named = next((one for one in versions if Alias.CHAMPION in one.aliases), None)
    if champion is not None and champion.promoted_at_ms is None:
        models.registry.note(champion.version, {PROMOTED_AT: str(models.now_ms())})
    if (named.version if named else None) == (champion.version if champion else None):
        return None
    models.registry.name(Alias.CHAMPION, champion.version if champion else None)
    was = f"version {named.version}" if named else "no version"
    now = f"version {champion.version}" if champion else "none of the registry's models"
    return f"the registry named {was} champion and the stream uses {now}; it now says so too"


def promote(models: Models, version: int, *, instead_of: str | None) -> ModelVersion:
    """Make a version champion.

    Args:
        models: Where.
        version: Which.
        instead_of: The hash of what was in use when this was decided.

    Raises:
        NoSuchVersion: there is no such version.
        BrokenModel: its artefact cannot be used; what is in use stays.
        ChampionChanged: something else is in use by now.
    """
    chosen = version_of(version, models.registry.versions())
    models.registry.restore(version, models.served.folder)
    models.served.check(chosen.sha256)
    if models.served.in_use() != instead_of:
        raise ChampionChanged(
            f"another model came into use meanwhile, so version {version} was not promoted: it was "
            "held against the one before; train again, or ./fraudwatch model approve"
        )
    models.registry.name(Alias.CHAMPION, version)
    models.served.use(chosen.sha256)
    if chosen.promoted_at_ms is None:
        models.registry.note(version, {PROMOTED_AT: str(models.now_ms())})
    if Alias.CHALLENGER in chosen.aliases:
        models.registry.name(Alias.CHALLENGER, None)
    return version_of(version, models.registry.versions())


def approve(models: Models, version: int) -> ModelVersion:
    """Promote a challenger that the gate let through and that waits for a person.

    Raises:
        NoSuchVersion: this version is not the challenger; see :func:`promote` for the rest.
    """
    mend(models)
    chosen = version_of(version, models.registry.versions())
    if Alias.CHALLENGER not in chosen.aliases:
        raise NoSuchVersion(
            f"version {version} does not wait for approval, so nothing was changed; ./fraudwatch "
            "model ls shows which does. A version that was in use before: ./fraudwatch model "
            "rollback VERSION"
        )
    return promote(models, version, instead_of=models.served.in_use())


def roll_back(models: Models, version: int | None = None) -> ModelVersion:
    """Make the champion before the present one, or any that was in use once, champion again.

    Raises:
        NoSuchVersion: there is none, or the one named was never in use.
        BrokenModel: its artefact cannot be used any more.
    """
    mend(models)
    versions = models.registry.versions()
    if version is None:
        chosen = previous_champion(models.champion(), versions)
    else:
        chosen = version_of(version, versions)
    if chosen.promoted_at_ms is None:
        raise NoSuchVersion(
            f"version {chosen.version} was never in use, so there is nothing to go back to; "
            "nothing was changed. One that waits: ./fraudwatch model approve VERSION"
        )
    return promote(models, chosen.version, instead_of=models.served.in_use())
