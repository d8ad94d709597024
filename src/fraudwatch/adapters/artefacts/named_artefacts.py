"""Open the policies, lists and models that verdicts name, from copies that the detector keeps."""

from __future__ import annotations

import logging
from collections import OrderedDict
from pathlib import Path
from typing import Final, Generic, TypeVar

from fraudwatch.adapters.artefacts.calibration_artefact import CALIBRATION_FILES
from fraudwatch.adapters.artefacts.model_artefact import MODEL_FILES, read_artefact
from fraudwatch.adapters.artefacts.model_pointer import Pointer
from fraudwatch.adapters.artefacts.policy_journals import find_lists, find_policies
from fraudwatch.adapters.artefacts.reloadable_models import load_named
from fraudwatch.domain.calibration.calibrator import BrokenCalibration
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.fitted import BrokenModel, ModelKind
from fraudwatch.domain.policy.list_document import PolicyLists
from fraudwatch.domain.policy.policy import Policy

log = logging.getLogger(__name__)
T = TypeVar("T")
# A classifier takes some 20 MB.
_KEPT: Final = 2


class NamedArtefacts:
    """Opens artefacts by the versions in verdicts; None where one is not there or is broken."""

    def __init__(self, policies_folder: Path, lists_folder: Path, models_folder: Path) -> None:
        self._policies_folder, self._lists_folder = policies_folder, lists_folder
        self._models_folder = models_folder
        self._policies = _Newest[Policy]()
        self._lists = _Newest[PolicyLists]()
        self._models = _Newest[ActiveModels]()

    def policy(self, version: str) -> Policy | None:
        """Return the policy of a version, with its lists."""
        known = self._policies.get(version)
        return known if known is not None else self._policies.put(version, self._policy(version))

    def lists(self, version: str) -> PolicyLists | None:
        """Return the lists alone of a policy version; see :func:`find_lists`."""
        known = self._lists.get(version)
        if known is not None:
            return known
        found = find_lists(self._policies_folder, self._lists_folder, version)
        return self._lists.put(version, found)

    def models(self, versions: tuple[str, ...], calibration: str) -> ActiveModels | None:
        """Return the models of these versions, with a calibration unless it is empty."""
        name = " ".join((*versions, calibration))
        known = self._models.get(name)
        if known is not None:
            return known
        return self._models.put(name, self._load(versions, calibration))

    def _policy(self, version: str) -> Policy | None:
        folders = self._policies_folder, self._lists_folder
        return next((files.open() for _, files in find_policies(folders, {version})), None)

    def _load(self, versions: tuple[str, ...], calibration: str) -> ActiveModels | None:
        folder, models = self._models_folder, dict[ModelKind, str]()
        found = _starting_with(calibration, CALIBRATION_FILES.in_folder(folder))
        if calibration and found is None:
            return None
        try:
            for version in versions:
                sha256 = _starting_with(version, MODEL_FILES.in_folder(folder))
                if sha256 is None:
                    return None
                models[read_artefact(folder, sha256).about.kind] = sha256
            return load_named(folder, Pointer(models, found if calibration else None))
        except (FileNotFoundError, BrokenModel, BrokenCalibration) as error:
            log.warning("the models %s are skipped: %s", ", ".join(versions), error)
            return None


class _Newest(Generic[T]):
    """Keeps the artefacts that were used last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, T] = OrderedDict()

    def get(self, name: str) -> T | None:
        if name in self._kept:
            self._kept.move_to_end(name)
        return self._kept.get(name)

    def put(self, name: str, value: T | None) -> T | None:
        if value is not None:
            self._kept[name] = value
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return value


def _starting_with(version: str, names: set[str]) -> str | None:
    return next((name for name in names if name.startswith(version)), None)
