"""Champion model: promote, approve, roll back; the pointer that the stream reads is authoritative.

A version is a model and its calibration. Every change checks both artefacts first, then moves the
registry's alias, then the pointer. A run that dies in between leaves the active model unchanged,
and :func:`sync_registry_alias` sets the alias back to the pointer's model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from fraudwatch.domain.training.versions import (
    Alias,
    ModelVersion,
    NoSuchVersion,
    TrainingRecord,
    calibration_of_version,
    previous_champion,
    version_of,
    with_sha256,
)

PROMOTED_AT = "promoted_at_ms"


class ChampionChanged(RuntimeError):
    """The champion was changed concurrently; nothing was done."""


class RegistryUnavailable(ConnectionError):
    """The registry does not answer; nothing was done."""


class ModelRegistry(Protocol):
    """Model registry: versions of all models, with their aliases and metrics."""

    def versions(self) -> Sequence[ModelVersion]:
        """List all versions, newest first."""

    def register(self, record: TrainingRecord, folder: Path) -> int:
        """Register a training run with its model and calibration from a folder.

        The same model is the same version.
        """

    def set_alias(self, alias: Alias, version: int | None) -> None:
        """Set an alias to one version, or remove it with None."""

    def add_facts(self, version: int, facts: Mapping[str, str]) -> None:
        """Add facts to a version, as tags."""

    def documents(self, version: int, names: Sequence[str]) -> Mapping[str, Any]:
        """Return the named documents of a version's training run; those that it has."""

    def restore(self, version: int, folder: Path) -> None:
        """Restore a version's model and calibration to a folder if they are missing there."""


class ModelStore(Protocol):
    """Folder from which the stream loads its models."""

    @property
    def folder(self) -> Path:
        """Folder of the artefacts."""

    def current(self) -> str | None:
        """Return the hash of the active model, or None."""

    def check(self, sha256: str, calibration: str | None) -> None:
        """Check that the stream can load a model with this calibration; None: the model alone.

        Raises:
            BrokenModel: they cannot be used.
        """

    def activate(self, sha256: str, calibration: str) -> None:
        """Activate a model and its calibration, both by hash, from the next micro-batch on.

        A canary ends: what it was compared with is no longer active.
        """

    def canary_model(self) -> str | None:
        """Return the hash of the canary's model; None without a canary."""

    def start_canary(
        self, sha256: str, calibration: str, *, share_ratio: float, started_at_ms: int
    ) -> None:
        """Score a share of the customers with a model from the next micro-batch on.

        Raises:
            CanaryRefused: no model is active to compare it with, or it is the active one.
        """

    def end_canary(self) -> str | None:
        """End the canary; return the hash of its model, None if there was none."""


@dataclass(frozen=True, slots=True)
class ModelLifecycle:
    """Registry, model store and clock of the model lifecycle."""

    registry: ModelRegistry
    model_store: ModelStore
    now_ms: Callable[[], int]

    def champion(self) -> ModelVersion | None:
        """Return the active model's version in the registry, or None."""
        return with_sha256(self.model_store.current(), self.registry.versions())


def sync_registry_alias(models: ModelLifecycle) -> str | None:
    """Set the registry's champion alias to the active model; return what was changed, if anything.

    A promotion that died before the pointer moved left the alias on another version.
    """
    champion, versions = models.champion(), models.registry.versions()
    named = next((one for one in versions if Alias.CHAMPION in one.aliases), None)
    if champion is not None and champion.promoted_at_ms is None:
        models.registry.add_facts(champion.version, {PROMOTED_AT: str(models.now_ms())})
    if (named.version if named else None) == (champion.version if champion else None):
        return None
    models.registry.set_alias(Alias.CHAMPION, champion.version if champion else None)
    was = f"version {named.version}" if named else "no version"
    now = f"version {champion.version}" if champion else "none of the registry's models"
    return f"the registry had {was} as champion and the stream uses {now}; the alias was corrected"


def promote(models: ModelLifecycle, version: int, *, expected_current: str | None) -> ModelVersion:
    """Promote a version to champion.

    Args:
        models: Registry and model store.
        version: Version to promote.
        expected_current: Hash of the active model when this was decided.

    Raises:
        NoSuchVersion: there is no such version.
        BrokenModel: its artefacts cannot be used; the active model stays.
        ChampionChanged: another model is active by now.
    """
    chosen = version_of(version, models.registry.versions())
    calibration = calibration_of_version(chosen)
    models.registry.restore(version, models.model_store.folder)
    models.model_store.check(chosen.sha256, calibration)
    if models.model_store.current() != expected_current:
        raise ChampionChanged(
            f"another model was activated meanwhile, so version {version} was not promoted: it was "
            "compared with the former one; train again, or ./fraudwatch model approve"
        )
    models.registry.set_alias(Alias.CHAMPION, version)
    models.model_store.activate(chosen.sha256, calibration)
    if chosen.promoted_at_ms is None:
        models.registry.add_facts(version, {PROMOTED_AT: str(models.now_ms())})
    if Alias.CHALLENGER in chosen.aliases:
        models.registry.set_alias(Alias.CHALLENGER, None)
    return version_of(version, models.registry.versions())


def approve(models: ModelLifecycle, version: int) -> ModelVersion:
    """Promote a challenger that passed the gate and waits for approval by hand.

    Raises:
        NoSuchVersion: this version is not the challenger; see :func:`promote` for the rest.
    """
    sync_registry_alias(models)
    chosen = version_of(version, models.registry.versions())
    if Alias.CHALLENGER not in chosen.aliases:
        raise NoSuchVersion(
            f"version {version} does not wait for approval, so nothing was changed; ./fraudwatch "
            "model ls shows which does. For a former champion: ./fraudwatch model rollback VERSION"
        )
    return promote(models, version, expected_current=models.model_store.current())


def roll_back(models: ModelLifecycle, version: int | None = None) -> ModelVersion:
    """Roll back to the previous champion, or to any former one.

    Raises:
        NoSuchVersion: there is none, or the given version was never champion.
        BrokenModel: its artefact cannot be used any more.
    """
    sync_registry_alias(models)
    versions = models.registry.versions()
    if version is None:
        chosen = previous_champion(models.champion(), versions)
    else:
        chosen = version_of(version, versions)
    if chosen.promoted_at_ms is None:
        raise NoSuchVersion(
            f"version {chosen.version} was never champion, so it cannot be rolled back to; "
            "nothing was changed. For one that waits: ./fraudwatch model approve VERSION"
        )
    return promote(models, chosen.version, expected_current=models.model_store.current())
