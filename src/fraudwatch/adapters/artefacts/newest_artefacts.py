"""Open what the detector scores with now: the newest entries of its reload journals."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final, NamedTuple

from fraudwatch.adapters.artefacts.model_pointer import parse_pointer
from fraudwatch.adapters.artefacts.policy_journals import PolicyFiles
from fraudwatch.adapters.artefacts.reloadable_models import load_models
from fraudwatch.adapters.artefacts.usable_models import usable_models
from fraudwatch.adapters.jsonl_journal import JsonlJournal
from fraudwatch.domain.calibration.calibrator import BrokenCalibration
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.fitted import BrokenModel
from fraudwatch.domain.models.serving import ServingVersions
from fraudwatch.domain.policy.policy import BrokenPolicy, Policy

log = logging.getLogger(__name__)
_JOURNAL: Final = "used.jsonl"


class ScoringArtefacts(NamedTuple):
    """Policy with its lists, and models."""

    policy: Policy
    models: ActiveModels


class NewestArtefacts:
    """Opens the newest policy, lists and models of the journals, again after each change."""

    def __init__(
        self,
        policies_folder: Path,
        lists_folder: Path,
        models_folder: Path,
        serving: ServingVersions,
    ) -> None:
        self._policies, self._lists = policies_folder, lists_folder
        self._models, self._serving = models_folder, serving
        self._signature: tuple[object, ...] | None = None
        self._current: ScoringArtefacts | None = None

    def is_known(self) -> bool:
        """Return whether the detector has scored anything; opens nothing."""
        return (self._policies / _JOURNAL).exists()

    def current(self) -> ScoringArtefacts | None:
        """Return what is live; None if the detector has scored nothing yet.

        What cannot be opened is logged once, and what was live before stays.
        """
        folders = self._policies, self._lists, self._models
        signature = tuple(_signature_of(folder / _JOURNAL) for folder in folders)
        if signature != self._signature:
            self._signature = signature
            try:
                self._current = self._open() or self._current
            except (OSError, BrokenPolicy, BrokenModel, BrokenCalibration) as error:
                log.error("the live artefacts cannot be opened, so they stay: %s", error)  # noqa: TRY400
        return self._current

    def _open(self) -> ScoringArtefacts | None:
        policy = _newest(self._policies, ".yaml")
        if policy is None:
            return None
        files = PolicyFiles(policy, _newest(self._lists, ".yaml"))
        return ScoringArtefacts(files.open(), self._open_models())

    def _open_models(self) -> ActiveModels:
        pointer = _newest(self._models, ".json")
        if pointer is None:
            return ActiveModels()
        named = parse_pointer(pointer.read_bytes())
        usable = usable_models(self._models, named, self._serving)
        return load_models(self._models, usable.pointer)


def _newest(folder: Path, suffix: str) -> Path | None:
    """Return the content that the last entry of a journal names; None if there is no entry."""
    entries = JsonlJournal(folder / _JOURNAL).entries()
    return folder / f"{entries[-1]['sha256']}{suffix}" if entries else None


def _signature_of(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino
