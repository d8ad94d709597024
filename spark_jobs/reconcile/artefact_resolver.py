"""Resolve the policies, models and risk views that verdicts name, to score by them again.

They are searched in the detector's reload journals and where they are published; the files found
are sent to every worker under their own names. Missing artefacts are reported, never substituted.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from fraudwatch.adapters.artefacts.calibration_artefact import CALIBRATION_FILES, read_calibration
from fraudwatch.adapters.artefacts.model_artefact import MODEL_FILES, read_artefact
from fraudwatch.adapters.artefacts.model_pointer import Pointer
from fraudwatch.adapters.artefacts.policy_journals import PolicyFiles, find_policies
from fraudwatch.adapters.artefacts.reloadable_models import load_named
from fraudwatch.adapters.artefacts.usable_models import usable_models
from fraudwatch.adapters.artefacts.view_artefact import VIEW_FILES, view_of
from fraudwatch.domain.calibration.calibrator import BrokenCalibration
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.fitted import VERSION_LENGTH as MODEL_DIGITS
from fraudwatch.domain.models.fitted import BrokenModel, ModelKind
from fraudwatch.domain.models.serving import ServingVersions
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.views.published import NO_VIEW, NO_VIEWS, Published, RiskViews
from fraudwatch.domain.views.published import VERSION_LENGTH as VIEW_DIGITS
from fraudwatch.domain.views.view import BrokenView, RiskView

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtefactFolders:
    """Folders to search."""

    policies: tuple[Path, ...]  # policies and lists, each file named by its content's hash
    models: tuple[Path, ...]
    views: tuple[Path, ...]


class NamedModel(NamedTuple):
    """Model artefact with its kind."""

    kind: ModelKind
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedArtefacts:
    """Artefacts found, by the version that a verdict names; small enough for every task."""

    policies: Mapping[str, PolicyFiles] = field(default_factory=dict)
    models: Mapping[str, NamedModel] = field(default_factory=dict)
    calibrations: Mapping[str, str] = field(default_factory=dict)  # sha256
    views: Mapping[str, str] = field(default_factory=dict)  # sha256
    files: tuple[Path, ...] = ()  # to send to the workers


def resolve_artefacts(
    folders: ArtefactFolders,
    policies: Iterable[str],
    models: Iterable[str],
    views: Iterable[str],
    calibrations: Iterable[str] = (),
) -> ResolvedArtefacts:
    """Search the artefacts that verdicts name; a broken one is logged and counts as missing."""
    found_policies = dict(find_policies(folders.policies, set(policies)))
    found_models = dict(_models(folders.models, set(models)))
    found_calibrations = dict(find_calibrations(folders.models, set(calibrations)))
    found_views = dict(_views(folders.views, set(views) - {NO_VIEW}))
    files = [
        *{path for found in found_policies.values() for path in found if path is not None},
        *(folder / f"{one.sha256}.npz" for one, folder in found_models.values()),
        *(folder / f"{sha256}.npz" for sha256, folder in found_views.values()),
        *(folder / CALIBRATION_FILES.name_of(one) for one, folder in found_calibrations.values()),
    ]
    return ResolvedArtefacts(
        policies=found_policies,
        models={name: one for name, (one, _) in found_models.items()},
        calibrations={name: sha256 for name, (sha256, _) in found_calibrations.items()},
        views={name: sha256 for name, (sha256, _) in found_views.items()},
        files=tuple(files),
    )


def _models(
    folders: Iterable[Path], wanted: set[str]
) -> Iterator[tuple[str, tuple[NamedModel, Path]]]:
    for folder in folders:
        for sha256 in sorted(MODEL_FILES.in_folder(folder)):
            if (version := sha256[:MODEL_DIGITS]) in wanted:
                try:
                    kind = read_artefact(folder, sha256).about.kind
                except (FileNotFoundError, BrokenModel) as error:
                    log.warning("the model %s is skipped: %s", version, error)
                else:
                    yield version, (NamedModel(kind, sha256), folder)


def find_calibrations(
    folders: Iterable[Path], wanted: set[str]
) -> Iterator[tuple[str, tuple[str, Path]]]:
    """Search calibrations by version; each with its hash and folder, a broken one is logged."""
    for folder in folders:
        for sha256 in sorted(CALIBRATION_FILES.in_folder(folder)):
            if (version := sha256[:MODEL_DIGITS]) in wanted:
                try:
                    read_calibration(folder, sha256)
                except (FileNotFoundError, BrokenCalibration) as error:
                    log.warning("the calibration %s is skipped: %s", version, error)
                else:
                    yield version, (sha256, folder)


def _views(folders: Iterable[Path], wanted: set[str]) -> Iterator[tuple[str, tuple[str, Path]]]:
    for folder in folders:
        for sha256 in sorted(VIEW_FILES.in_folder(folder)):
            if (version := sha256[:VIEW_DIGITS]) in wanted:
                try:
                    view_of(VIEW_FILES.read(folder, sha256))
                except (FileNotFoundError, BrokenView) as error:
                    log.warning("the view %s is skipped: %s", version, error)
                else:
                    yield version, (sha256, folder)


class ArtefactResolver:
    """Opens resolved artefacts from one folder of files, when first needed."""

    def __init__(self, found: ResolvedArtefacts, folder: Path) -> None:
        self._found, self._folder = found, folder
        self.policy = lru_cache(self._policy)
        self.models = lru_cache(self._models)
        self._open_view = lru_cache(4)(self._view)

    def _policy(self, version: str) -> Policy | None:
        """Return the policy of a version; None when it was not found."""
        found = self._found.policies.get(version)
        return None if found is None else found.open_in(self._folder)

    def _models(
        self, versions: tuple[str, ...], calibration: str | None = None
    ) -> ActiveModels | None:
        """Return models and calibration of these versions; None where one was not found.

        One of other features than today's is left out, as the detector does. The label delay is
        that of the model which the verdict names: the setting may have changed since.

        Raises:
            ImportError: the library of one of them is not installed here.
        """
        found = [self._found.models.get(version) for version in versions]
        pointer = {one.kind: one.sha256 for one in found if one is not None}
        sha256 = None if calibration is None else self._found.calibrations.get(calibration)
        if len(pointer) < len(versions) or (sha256 is None and calibration is not None):
            return None
        serving = ServingVersions(features_version())
        usable = usable_models(self._folder, Pointer(pointer, sha256), serving)
        return load_named(self._folder, usable.pointer)

    def views(self, version: str) -> RiskViews | None:
        """Return the risk view of a version, valid for its own time; None when not found.

        Its label delay is the one of that time, whatever the setting is by now.
        """
        if version == NO_VIEW:
            return NO_VIEWS
        sha256 = self._found.views.get(version)
        if sha256 is None:
            return None
        view = self._open_view(sha256)
        return RiskViews((Published(sha256, view.valid_from_ms),), self._open_view)

    def _view(self, sha256: str) -> RiskView:
        return view_of(VIEW_FILES.read(self._folder, sha256))
