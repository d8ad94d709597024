"""Hot reload of models: the pointer that training moves, loaded between micro-batches.

The artefacts in use are copied beside the reload journal, so that a micro-batch replayed after a
crash finds them even if their source is gone. Copies that the last entries do not name are removed
when a new one is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from fraudwatch.adapters.artefacts.forest_artefact import forest_model
from fraudwatch.adapters.artefacts.model_artefact import (
    MODEL_FILES,
    POINTER_NAME,
    parse_pointer,
    read_artefact,
)
from fraudwatch.adapters.artefacts.versioned_reload import ReloadJournal
from fraudwatch.domain.models.active_models import ActiveModels, check_outputs
from fraudwatch.domain.models.fitted import BrokenModel, ModelKind, ModelMetadata

_NO_MODEL = b"{}"
# Spark replays only its last batch, so one is needed; a restored checkpoint may be older.
KEPT_VERSIONS: Final = 5


class ReloadableModels:
    """Watches the folder that training writes to, and journals the models of each micro-batch.

    Without a pointer there is no model. ``on_reload`` is called with whether a changed pointer is
    valid, after each read.
    """

    def __init__(
        self, source: Path, folder: Path, features_version: str, on_reload: Callable[[bool], None]
    ) -> None:
        self._source, self._folder, self._features_version = source, folder, features_version
        self._journal = ReloadJournal(
            source=source / POINTER_NAME,
            folder=folder,
            suffix=".json",
            load=self._load,
            reopen=lambda content: load_models(folder, content),
            name_of=_name_of,
            on_reload=on_reload,
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
        for sha256 in parse_pointer(pointer).values():
            MODEL_FILES.copy(self._source, self._folder, sha256)
        models = load_models(self._folder, pointer)
        for model in (models.anomaly, models.fraud):
            if model is not None:
                self._check_features_version(model.version, model.about)
        check_outputs(models)
        self._prune(pointer)
        return models

    def _prune(self, pointer: bytes) -> None:
        """Remove old copies; those in use before the new entry stay, in case of a crash."""
        needed = [*self._journal.latest(KEPT_VERSIONS - 1), pointer]
        MODEL_FILES.keep_only(
            self._folder, {sha256 for one in needed for sha256 in parse_pointer(one).values()}
        )

    def _check_features_version(self, version: str, about: ModelMetadata) -> None:
        if about.features_version != self._features_version:
            raise BrokenModel(
                f"model {version} was fitted on features {about.features_version} and today's are "
                f"{self._features_version}, which may have other meanings; fit it again"
            )


def load_models(folder: Path, pointer: bytes) -> ActiveModels:
    """Load the models that a pointer names from the artefacts in a folder.

    Raises:
        FileNotFoundError: an artefact is not there.
        BrokenModel: the pointer or an artefact cannot be used.
    """
    named = parse_pointer(pointer)
    found = ActiveModels()
    if sha256 := named.get(ModelKind.ISOLATION_FOREST):
        found = ActiveModels(anomaly=forest_model(read_artefact(folder, sha256), sha256))
    if sha256 := named.get(ModelKind.XGBOOST):
        # Imported here, so that a process without such a model does not need XGBoost.
        from fraudwatch.adapters.artefacts.xgboost_model import xgboost_model

        fraud = xgboost_model(read_artefact(folder, sha256), sha256)
        found = ActiveModels(anomaly=found.anomaly, fraud=fraud)
    return found


def _name_of(models: ActiveModels) -> str:
    return f"isolation forest {models.anomaly_version}, fraud model {models.model_version}"
