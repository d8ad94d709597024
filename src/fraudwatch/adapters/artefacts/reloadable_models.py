"""Hot reload of models: the pointer that training moves, loaded between micro-batches.

The artefacts in use are copied beside the reload journal, so that a micro-batch replayed after a
crash finds them even if their source is gone. Copies that the last entries do not name are removed
when a new one is loaded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from fraudwatch.adapters.artefacts.calibration_artefact import (
    CALIBRATION_FILES,
    expect_calibration_of,
    read_calibration,
)
from fraudwatch.adapters.artefacts.forest_artefact import forest_model
from fraudwatch.adapters.artefacts.model_artefact import MODEL_FILES, read_artefact
from fraudwatch.adapters.artefacts.model_pointer import POINTER_NAME, Pointer, parse_pointer
from fraudwatch.adapters.artefacts.usable_models import usable_models
from fraudwatch.adapters.artefacts.versioned_reload import ReloadJournal
from fraudwatch.domain.models.active_models import ActiveModels, Canary, check_outputs
from fraudwatch.domain.models.fitted import VERSION_LENGTH, ModelKind
from fraudwatch.domain.models.serving import ServingVersions

_NO_MODEL = b"{}"
# Spark replays only its last batch, so one is needed; a restored checkpoint may be older.
KEPT_VERSIONS: Final = 5
log = logging.getLogger(__name__)


class ReloadableModels:
    """Watches the folder that training writes to, and journals the models of each micro-batch.

    Without a pointer there is no model. A model of another features version or label delay is left
    out, also one of the journal. ``on_reload`` is called after each read of a changed pointer with
    whether it is valid and all of its models may be served.
    """

    def __init__(
        self,
        source: Path,
        folder: Path,
        serving: ServingVersions,
        on_reload: Callable[[bool], None],
    ) -> None:
        self._source, self._folder, self._serving = source, folder, serving
        self._left_out: tuple[str, ...] = ()
        self._journal = ReloadJournal(
            source=source / POINTER_NAME,
            folder=folder,
            suffix=".json",
            load=self._load,
            reopen=self._usable,
            name_of=_name_of,
            on_reload=lambda is_valid: on_reload(is_valid and not self._left_out),
            initial_content=_NO_MODEL,
        )

    def models_for(self, batch_id: int, *, is_rerun: bool) -> ActiveModels:
        """Return the models for a micro-batch; a first run may load new ones."""
        return self._journal.version_for_batch(batch_id, is_rerun=is_rerun)

    @property
    def in_use(self) -> ActiveModels:
        """The models of the last micro-batch."""
        return self._journal.opened or ActiveModels()

    def _load(self, pointer: bytes) -> ActiveModels:
        named = parse_pointer(pointer)
        for sha256 in named.model_hashes:
            MODEL_FILES.copy(self._source, self._folder, sha256)
        for sha256 in named.calibration_hashes:
            CALIBRATION_FILES.copy(self._source, self._folder, sha256)
        models = self._usable(pointer)
        check_outputs(models)
        self._prune(pointer)
        return models

    def _prune(self, pointer: bytes) -> None:
        """Remove old copies; those in use before the new entry stay, in case of a crash."""
        latest = [*self._journal.latest(KEPT_VERSIONS - 1), pointer]
        needed = [parse_pointer(one) for one in latest]
        MODEL_FILES.keep_only(self._folder, {sha for one in needed for sha in one.model_hashes})
        calibrations = {sha for one in needed for sha in one.calibration_hashes}
        CALIBRATION_FILES.keep_only(self._folder, calibrations)

    def _usable(self, pointer: bytes) -> ActiveModels:
        """Load the models that may be served; each that is left out is logged once."""
        usable = usable_models(self._folder, parse_pointer(pointer), self._serving)
        for sentence in usable.left_out:
            if sentence not in self._left_out:
                log.error("%s; until then purchases are scored without it", sentence)
        self._left_out = usable.left_out
        return load_models(self._folder, usable.pointer)


def load_models(folder: Path, named: Pointer) -> ActiveModels:
    """Load the models that a pointer names from the artefacts in a folder.

    A classifier without a calibration is not used: its output is no probability of fraud.
    See :func:`load_named` for errors.
    """
    classifier = named.models.get(ModelKind.XGBOOST)
    if classifier is None or named.calibration is not None:
        champion = load_named(folder, named)
        return replace(champion, canary=_canary(folder, named, champion))
    log.warning(
        "the classifier %s has no calibration and is not used; train again, or roll back to a "
        "version that has one",
        classifier[:VERSION_LENGTH],
    )
    others = dict(named.models)
    del others[ModelKind.XGBOOST]
    return load_named(folder, Pointer(others))


def _canary(folder: Path, named: Pointer, champion: ActiveModels) -> Canary | None:
    """Load the canary: its classifier and calibration beside the champion's forest."""
    if named.canary is None:
        return None
    found = load_named(
        folder, Pointer({ModelKind.XGBOOST: named.canary.model}, named.canary.calibration)
    )
    return Canary(replace(found, anomaly=champion.anomaly), named.canary.share_ratio)


def load_named(folder: Path, named: Pointer) -> ActiveModels:
    """Load models by their hashes, with or without a calibration.

    Raises:
        FileNotFoundError: an artefact is not there.
        BrokenModel: the pointer or an artefact cannot be used.
        BrokenCalibration: the calibration cannot be used, or is another model's.
    """
    forest = named.models.get(ModelKind.ISOLATION_FOREST)
    classifier = named.models.get(ModelKind.XGBOOST)
    anomaly = forest_model(read_artefact(folder, forest), forest) if forest else None
    if classifier is None:
        return ActiveModels(anomaly)
    # Imported here, so that a process without such a model does not need XGBoost.
    from fraudwatch.adapters.artefacts.xgboost_model import xgboost_model

    fraud = xgboost_model(read_artefact(folder, classifier), classifier)
    if named.calibration is None:
        return ActiveModels(anomaly, fraud)
    calibration = read_calibration(folder, named.calibration)
    expect_calibration_of(calibration, classifier, fraud.about.features_version)
    return ActiveModels(anomaly, fraud, calibration)


def _name_of(models: ActiveModels) -> str:
    named = (
        f"isolation forest {models.anomaly_version}, fraud model {models.model_version}, "
        f"calibration {models.calibration_version}"
    )
    if models.canary is None:
        return named
    on_trial = models.canary.models
    return (
        f"{named}; for {models.canary.share_ratio:.1%} of the customers fraud model "
        f"{on_trial.model_version}, calibration {on_trial.calibration_version}"
    )
